"""What the tests of the console need: a browser, a checker of accessibility, and one of JavaScript."""
