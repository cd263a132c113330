"""Reads pickles on a machine of its own, which calls nothing but the builders it was given.

Python's own unpickler calls what a file names. Where that is forbidden, a file can still make it
reserve gigabytes (the index of a memo, the length of a string), set attributes of functions, or
hash tuples nested until the process dies. This machine knows the opcodes that arrays are
pickled with, reads no further than the file goes, and counts its steps.
"""

import abc
import pickle
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kmaskrcnn.weights.files.limits import Limits, RefusedError
from kmaskrcnn.weights.files.streams import VALUES, Stream, integer

Builders = Mapping[str, Any]  # by dotted name: functions to call, values to put on the stack

_MAX_ARGUMENTS = 16
_SCALARS = (str, bytes, int, float, type(None))


class Other:
    """What a file may hold and no weights are made of: nothing of it is kept."""


class Built(abc.ABC):
    """A value that takes the state which a pickle gives it after its construction."""

    @abc.abstractmethod
    def build(self, state: Any) -> None:
        """Takes the state, whatever it is: it is looked at when the value is used."""


class _Named:
    """A function of the builders, on the stack until it is called: it itself could be changed."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


class Machine:
    """Executes the pickles of a stream, one after the other.

    Args:
        stream: where the first one starts.
        limits: counts the steps.
        builders: everything that a pickle may name.
        persistent: makes a value of what stands for one outside of the pickle.
    """

    def __init__(
        self,
        stream: Stream,
        limits: Limits,
        builders: Builders,
        persistent: Callable[[Any], Any] | None = None,
    ) -> None:
        self.stream, self._limits = stream, limits
        self._builders, self._persistent = builders, persistent
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []  # the stacks under the marks
        self._memo: dict[int, Any] = {}

    def load(self) -> Any:
        """The next pickled value.

        Returns:
            Dicts, lists, tuples, strings, numbers, and what the builders make. Sets come as lists.

        Raises:
            RefusedError: it names something else, or takes too many steps.
            EOFError: the stream ends too early.
            ValueError: this is no pickle, or a broken one.
        """
        self._stack, self._below, self._memo = [], [], {}
        try:
            while (code := self.stream.read(1)) != pickle.STOP:
                self._limits.steps.take(1, "its pickle")
                self._step(code)
            return self._stack.pop()
        except (IndexError, KeyError, TypeError) as error:
            raise ValueError(f"a broken pickle: {str(error)[:80]}") from error

    def _step(self, code: bytes) -> None:
        if code in VALUES:
            self._stack.append(VALUES[code](self.stream))
        elif code in _ACTIONS:
            _ACTIONS[code](self)
        else:
            raise ValueError(f"{code!r} is no opcode of a pickle of arrays")

    def _mark(self) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _marked(self) -> list[Any]:
        """What stands above the last mark, which goes."""
        items, self._stack = self._stack, self._below.pop()
        return items

    def _pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._marked()

    def _duplicate(self) -> None:
        self._stack.append(self._stack[-1])

    def _put(self, key: int) -> None:
        self._memo[key] = self._stack[-1]

    def _get(self, key: int) -> None:
        self._stack.append(self._memo[key])

    def _memoize(self) -> None:
        self._put(len(self._memo))

    def _tuple(self, count: int) -> None:
        items = [self._stack.pop() for _ in range(count)]
        self._stack.append(tuple(reversed(items)))

    def _collect(self, make: Callable[[list[Any]], Any]) -> None:
        items = self._marked()
        self._stack.append(make(items))

    def _append(self) -> None:
        self._extend([self._stack.pop()])

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise ValueError(f"a broken pickle: it appends to a {type(target).__name__}")
        target.extend(items)

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._update([key, value])

    def _update(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict):
            raise ValueError(f"a broken pickle: it sets an item of a {type(target).__name__}")
        target.update(_alternating(items))

    def _find(self, module: Any, name: Any) -> None:
        """Puts a name on the stack, if it is one of the builders'."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("a broken pickle: a name that is no string")
        full = f"{module[:80]}.{name[:80]}"
        if full not in self._builders:
            raise RefusedError(
                f"it asks for {full!r}, which no weights need; nothing in it was run. Of a PyTorch "
                "model save model.state_dict(), of anything else a dict of arrays"
            )
        builder = self._builders[full]
        self._stack.append(_Named(builder) if callable(builder) else builder)

    def _find_on_stack(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._find(module, name)

    def _find_in_text(self) -> None:
        module, name = self.stream.line(), self.stream.line()
        self._find(module.decode(), name.decode())

    def _call(self, function: Any, arguments: Any) -> None:
        if not isinstance(function, _Named) or not isinstance(arguments, tuple):
            raise ValueError("a broken pickle: it calls what is no function")
        if len(arguments) > _MAX_ARGUMENTS:
            raise ValueError("a broken pickle: it calls a function with too many arguments")
        self._stack.append(function.function(*arguments))

    def _call_on_stack(self) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        self._call(function, arguments)

    def _call_in_text(self) -> None:
        arguments = tuple(self._marked())
        self._find_in_text()
        self._call(self._stack.pop(), arguments)

    def _call_marked(self) -> None:
        function, *arguments = self._marked()
        self._call(function, tuple(arguments))

    def _build(self) -> None:
        """A state for the last value: ours take it, that of others (``_metadata``) goes."""
        state, target = self._stack.pop(), self._stack[-1]
        if isinstance(target, Built):
            target.build(state)
        elif not isinstance(target, dict | Other):
            raise ValueError(f"a broken pickle: it sets the state of a {type(target).__name__}")

    def _load_persistent(self) -> None:
        if self._persistent is None:
            raise ValueError("its pickle refers to data outside of it, and there are none")
        self._stack.append(self._persistent(self._stack.pop()))


def dict_of(pairs: Iterable[Any]) -> dict:
    """A dict of (key, value). Keys are strings or numbers: hashing a tuple may never end."""
    made = {}
    for key, value in pairs:
        if not isinstance(key, _SCALARS):
            raise ValueError(f"a dict has a {type(key).__name__} as a key: expected a string")
        made[key] = value
    return made


def _alternating(items: list[Any]) -> dict:
    return dict_of(zip(items[::2], items[1::2], strict=True))


_ACTIONS: dict[bytes, Callable[[Machine], Any]] = {
    pickle.PROTO: lambda machine: machine.stream.skip(1),
    pickle.FRAME: lambda machine: machine.stream.expect(machine.stream.number(8)),
    pickle.MARK: Machine._mark,
    pickle.POP: Machine._pop,
    pickle.POP_MARK: Machine._marked,
    pickle.DUP: Machine._duplicate,
    pickle.PUT: lambda machine: machine._put(integer(machine.stream.line())),
    pickle.BINPUT: lambda machine: machine._put(machine.stream.number(1)),
    pickle.LONG_BINPUT: lambda machine: machine._put(machine.stream.number(4)),
    pickle.MEMOIZE: Machine._memoize,
    pickle.GET: lambda machine: machine._get(integer(machine.stream.line())),
    pickle.BINGET: lambda machine: machine._get(machine.stream.number(1)),
    pickle.LONG_BINGET: lambda machine: machine._get(machine.stream.number(4)),
    pickle.TUPLE1: lambda machine: machine._tuple(1),
    pickle.TUPLE2: lambda machine: machine._tuple(2),
    pickle.TUPLE3: lambda machine: machine._tuple(3),
    pickle.TUPLE: lambda machine: machine._collect(tuple),
    pickle.LIST: lambda machine: machine._collect(list),
    pickle.FROZENSET: lambda machine: machine._collect(list),
    pickle.DICT: lambda machine: machine._collect(_alternating),
    pickle.APPEND: Machine._append,
    pickle.APPENDS: lambda machine: machine._extend(machine._marked()),
    pickle.ADDITEMS: lambda machine: machine._extend(machine._marked()),
    pickle.SETITEM: Machine._set_item,
    pickle.SETITEMS: lambda machine: machine._update(machine._marked()),
    pickle.GLOBAL: Machine._find_in_text,
    pickle.STACK_GLOBAL: Machine._find_on_stack,
    pickle.REDUCE: Machine._call_on_stack,
    pickle.NEWOBJ: Machine._call_on_stack,
    pickle.INST: Machine._call_in_text,
    pickle.OBJ: Machine._call_marked,
    pickle.BUILD: Machine._build,
    pickle.BINPERSID: Machine._load_persistent,
}
