"""Static checks of a definition, with diagnostics in the shape of ValidateStateMachineDefinition.

What the engine does not know it refuses here, by name and place, so that nothing is ever ignored at run time.
"""

from __future__ import annotations

from local.stepfunctions.asl import grammar
from local.stepfunctions.asl.diagnostics import Diagnostics
from local.stepfunctions.asl.validation_choice import check_choice
from local.stepfunctions.asl.validation_scopes import check_scopes
from local.stepfunctions.asl.validation_values import check_values
from local.stepfunctions.jsontext import Json, loads

SINGLE = "StateName"
LANGUAGES = ("JSONPath", "JSONata")


def parse_definition(text: str) -> dict[str, Json]:
    """The definition's JSON object; raises ValueError when the text is none."""
    definition = loads(text)
    if not isinstance(definition, dict):
        raise ValueError("not an object")
    return definition


def diagnose(text: str, machine_type: str = "STANDARD") -> list[dict[str, Json]]:
    """Every diagnostic of a definition, each with code, message, severity and, where there is one, location."""
    found = Diagnostics()
    try:
        definition = parse_definition(text)
    except ValueError:
        found.error("Definition must be a valid JSON object")
        return found.items
    checker = _Checker(found, machine_type == "EXPRESS", definition.get("QueryLanguage", "JSONPath"))
    checker.machine(definition)
    return found.items


def diagnose_state(state: dict[str, Json], machine_type: str = "STANDARD") -> list[dict[str, Json]]:
    """Diagnostics of a single state, whose transitions lead nowhere in particular."""
    found = Diagnostics()
    language = state.get("QueryLanguage", "JSONPath")
    checker = _Checker(found, machine_type == "EXPRESS", language)
    checker.state(f"/States/{SINGLE}", state, None)
    return found.items


class _Checker:
    def __init__(self, found: Diagnostics, express: bool, language: str) -> None:
        self._found = found
        self._express = express
        self._language = language

    def machine(self, definition: dict[str, Json]) -> None:
        if self._language not in LANGUAGES:
            self._found.error(f"QueryLanguage must be one of {list(LANGUAGES)}", "/QueryLanguage")
            return
        self._unknown(definition, grammar.MACHINE, "")
        timeout = definition.get("TimeoutSeconds")
        if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int) or timeout <= 0):
            self._found.error("Expected value of type Integer greater than 0", "/TimeoutSeconds")
        self._block(definition, "")
        check_scopes(self._found, definition)

    def _block(self, block: Json, place: str) -> None:
        if not isinstance(block, dict):
            self._found.error("Expected value of type Object", place)
            return
        missing = [name for name in ("States", "StartAt") if name not in block]
        if missing:
            self._found.error(f"These fields are required: [{', '.join(missing)}]", place or "/")
            return
        states = block["States"]
        if not isinstance(states, dict) or not states:
            self._found.error("Expected value of type Object with at least one state", f"{place}/States")
            return
        if block["StartAt"] not in states:
            self._found.error(
                f"Missing 'StartAt' target: {block['StartAt']}", f"{place}/StartAt", "MISSING_TRANSITION_TARGET"
            )
        for name, state in states.items():
            self.state(f"{place}/States/{name}", state, states)
            if not 1 <= len(name) <= 80:
                self._found.error("State name must have between 1 and 80 characters", f"{place}/States/{name}")
        self._reachable(block, place)

    def state(self, place: str, state: Json, siblings: dict[str, Json] | None) -> None:
        """Check one state; `siblings` None accepts any transition."""
        if not isinstance(state, dict):
            self._found.error("Expected value of type Object", place)
            return
        kind = state.get("Type")
        if kind is None:
            self._found.error("The field 'Type' is required but was missing", place)
            return
        language = state.get("QueryLanguage", self._language)
        if language == "JSONPath" and self._language == "JSONata":
            self._found.error(
                "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", place
            )
            return
        known = (grammar.JSONATA if language == "JSONata" else grammar.JSONPATH).get(kind)
        if known is None or language not in LANGUAGES:
            self._found.error(
                f"Value is not one of the known values: {kind if known is None else language}", f"{place}/Type"
            )
            return
        before = len(self._found.items)
        self._unknown(state, known | grammar.COMMON, place)
        self._required(state, kind, place)
        if len(self._found.items) > before:
            return
        check_values(self._found, place, state, language, self._express)
        if kind == "Choice":
            check_choice(self._found, place, state, language)
        self._transitions(state, kind, place, siblings)
        self._recovery(state, language, place)
        self._nested(state, kind, place)

    def _unknown(self, holder: dict[str, Json], known: set[str], place: str) -> None:
        for name in holder:
            if name not in known:
                self._found.error("Field is not supported", f"{place}/{name}")

    def _required(self, state: dict[str, Json], kind: str, place: str) -> None:
        for name in grammar.REQUIRED.get(kind, ()):
            if name not in state:
                self._found.error(f"The field '{name}' is required but was missing", place)
        for names in grammar.ALTERNATIVES.get(kind, ()):
            given = [name for name in names if name in state]
            optional = kind in ("Fail", "Task")
            if len(given) > 1 or (not given and not optional):
                self._found.error(f"Exactly one of these fields is required: [{', '.join(names)}]", place)

    def _transitions(self, state: dict[str, Json], kind: str, place: str, siblings: dict[str, Json] | None) -> None:
        if kind in ("Choice", "Succeed", "Fail"):
            targets = _choice_targets(state) if kind == "Choice" else {}
        else:
            if ("Next" in state) == bool(state.get("End")):
                self._found.error("Exactly one of these fields is required: [Next, End]", place)
            targets = {"Next": state["Next"]} if "Next" in state else {}
        for index, catcher in enumerate(state.get("Catch", ())):
            if isinstance(catcher, dict) and "Next" in catcher:
                targets[f"Catch[{index}]/Next"] = catcher["Next"]
        for field, target in targets.items():
            if siblings is not None and target not in siblings:
                label = field.rsplit("/", 1)[-1]
                self._found.error(
                    f"Missing '{label}' target: {target}", f"{place}/{field}", "MISSING_TRANSITION_TARGET"
                )

    def _recovery(self, state: dict[str, Json], language: str, place: str) -> None:
        for field, known, required in (
            ("Retry", grammar.RETRIER, ("ErrorEquals",)),
            ("Catch", grammar.CATCHER[language], ("ErrorEquals", "Next")),
        ):
            entries = state.get(field, [])
            if not isinstance(entries, list):
                self._found.error("Expected value of type Array", f"{place}/{field}")
                continue
            for index, entry in enumerate(entries):
                where = f"{place}/{field}[{index}]"
                self._unknown(entry, known, where)
                for name in required:
                    if name not in entry:
                        self._found.error(f"The field '{name}' is required but was missing", where)
                self._error_names(entry.get("ErrorEquals", ["-"]), index == len(entries) - 1, where)
                self._retry_numbers(entry, where)

    def _error_names(self, names: Json, last: bool, place: str) -> None:
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            self._found.error("Expected value of type Array of at least one String", f"{place}/ErrorEquals")
        elif "States.ALL" in names and (len(names) > 1 or not last):
            self._found.error("'States.ALL' must appear alone, and in the last entry", f"{place}/ErrorEquals")

    def _retry_numbers(self, entry: dict[str, Json], place: str) -> None:
        for name, least in (("IntervalSeconds", 1), ("MaxAttempts", 0), ("MaxDelaySeconds", 1), ("BackoffRate", 1.0)):
            value = entry.get(name, least)
            kinds = (int, float) if name == "BackoffRate" else (int,)
            if isinstance(value, bool) or not isinstance(value, kinds) or value < least:
                self._found.error(f"Expected a number of at least {least}", f"{place}/{name}")
        if entry.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
            self._found.error("Value is not one of the known values: [FULL, NONE]", f"{place}/JitterStrategy")

    def _nested(self, state: dict[str, Json], kind: str, place: str) -> None:
        if kind == "Parallel":
            if not state["Branches"]:
                self._found.error("Value cannot be empty", f"{place}/Branches")
            for index, branch in enumerate(state["Branches"]):
                where = f"{place}/Branches[{index}]"
                self._unknown(branch if isinstance(branch, dict) else {}, grammar.BRANCH, where)
                self._block(branch, where)
        elif kind == "Map":
            field = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
            processor = state[field]
            self._unknown(processor if isinstance(processor, dict) else {}, grammar.PROCESSOR, f"{place}/{field}")
            config = processor.get("ProcessorConfig", {}) if isinstance(processor, dict) else {}
            self._unknown(config, {"Mode", "ExecutionType"}, f"{place}/{field}/ProcessorConfig")
            inner = _Checker(self._found, config.get("ExecutionType") == "EXPRESS" or self._express, self._language)
            inner._block(processor, f"{place}/{field}")

    def _reachable(self, block: dict[str, Json], place: str) -> None:
        states, seen = block["States"], set()
        waiting = [block["StartAt"]]
        while waiting:
            name = waiting.pop()
            if name in seen or not isinstance(states.get(name), dict):
                continue
            seen.add(name)
            waiting.extend(_targets(states[name]))
        for name in states:
            if name not in seen and block["StartAt"] in states:
                where = f"{place}/States/{name}"
                self._found.error(f'State "{name}" is not reachable.', where, "MISSING_TRANSITION_TARGET")


def _choice_targets(state: dict[str, Json]) -> dict[str, Json]:
    choices = state.get("Choices", [])
    targets = {
        f"Choices[{index}]/Next": rule["Next"]
        for index, rule in enumerate(choices if isinstance(choices, list) else [])
        if isinstance(rule, dict) and "Next" in rule
    }
    return {**targets, "Default": state["Default"]} if "Default" in state else targets


def _targets(state: dict[str, Json]) -> list[str]:
    catchers = state.get("Catch", []) if isinstance(state.get("Catch", []), list) else []
    found = [catcher.get("Next") for catcher in catchers if isinstance(catcher, dict)]
    found += [state.get("Next"), *_choice_targets(state).values()]
    return [name for name in found if isinstance(name, str)]
