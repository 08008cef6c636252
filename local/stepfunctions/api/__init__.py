"""The Step Functions API: what each operation accepts, does and answers."""
