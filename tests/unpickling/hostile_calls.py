"""Pickles that want something run: each with the words that it must be refused with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unpickling import writer
from tests.unpickling.writer import Call, Name, Raw, pickled

Hostile = dict[str, tuple[Any, str]]


def calls(mark: Path) -> Hostile:
    """Files that call or import something. `mark` is what they would make."""
    shell, code = f"touch {mark}", f"open({str(mark)!r}, 'w').write('x')"
    chain = Call("builtins getattr", (Call("builtins __import__", ("os",)), "system"))
    return {
        "os.system": (Call("os system", (shell,)), r"names os\.system,"),
        "posix.system": (Call("posix system", (shell,)), r"names posix\.system,"),
        "protocol 0": (f"cos\nsystem\n(S'{shell}'\ntR.".encode(), r"names os\.system,"),
        "inst": (f"(S'{shell}'\nios\nsystem\n.".encode(), r"names os\.system,"),
        "obj": (f"(cos\nsystem\nS'{shell}'\no.".encode(), r"names os\.system,"),
        "eval": (Call("builtins eval", (code,)), r"names builtins\.eval,"),
        "exec": (Call("builtins exec", (code,)), r"names builtins\.exec,"),
        "getattr": (chain, r"names builtins\.getattr,"),
        "dotted": (Name("torch storage.sys.modules"), r"names torch\.storage\.sys\.modules,"),
        "torch.load": (Call("torch load", ("x",)), r"names torch\.load,"),
        "runpy": (Call("runpy run_path", ("x",)), r"names runpy\.run_path,"),
        "import": (Name("antigravity fly"), r"names antigravity\.fly,"),
        "one letter off": (
            Call("torch_utils.persistence _reconstruct_persistent_objs", ({},)),
            r"names torch_utils\.persistence\._reconstruct_persistent_objs,",
        ),
        "look-alike": (Name("t\u043erch Size"), r"names t\u043erch\.Size,"),
        "terminal": (Name("os \x1b[2Jsystem"), r"names os\.\\x1b\[2Jsystem,"),
        "long name": (Name("os " + "x" * 5000), r"it names a class: got os\.x{74}\.\.\.,"),
    }


def misuses(mark: Path) -> Hostile:
    """Files that call what is known in ways it is never called."""
    shell, code = f"touch {mark}", f"open({str(mark)!r}, 'w').write('x')"
    loaded = Call("torch.storage _load_from_bytes", (pickled(Call("os system", (shell,))),))
    nested_attack = writer.legacy_file(Call("os system", (shell,)), {})
    meta = {"type": "class", "version": 6, "module_src": code, "class_name": 3, "state": {}}
    no_state = {**meta, "class_name": "G", "state": []}
    return {
        "name is a number": (Raw(b"K\x01K\x02\x93"), "by something that is not text"),
        "name is a list": (Raw(b"]]\x93"), "by something that is not text"),
        "call of text": (Raw(b"\x8c\x02os)R"), "calls text, which is not a class or function"),
        "call of an object": (
            Raw(b"cargparse\nNamespace\n)\x81)R"),
            "calls an instance of argparse.Namespace",
        ),
        "arguments in a list": (Raw(b"cbuiltins\nset\n]R"), "arguments are no tuple"),
        "keywords": (
            Raw(b"cargparse\nNamespace\n)}K\x01K\x02s\x92"),
            "calls something with keyword arguments",
        ),
        "nested pickle": (loaded, "does not begin like a file of torch.save"),
        "nested torch file": (
            Call("torch.storage _load_from_bytes", (nested_attack,)),
            r"names os\.system,",
        ),
        "nested twice": (
            Call("torch.storage _load_from_bytes", (writer.legacy_file(loaded, {}),)),
            "a torch file inside of a torch file",
        ),
        "persistent without class": (Call(writer.PERSISTENT, (meta,)), "unusual arguments"),
        "persistent without state": (
            Call(writer.PERSISTENT, (no_state,)),
            "gives list as the state",
        ),
        "persistent of a new kind": (
            Call(writer.PERSISTENT, ({**meta, "class_name": "G", "type": "function"},)),
            "of a kind that is not known",
        ),
        "storage is called": (Call("torch FloatStorage", (10**15,)), "unusual arguments"),
        "reconstructor of itself": (
            Call("copyreg _reconstructor", (Name("copyreg _reconstructor"),) * 2 + (None,)),
            "unusual arguments",
        ),
        "set of a number": (Call("builtins set", (3,)), "unusual arguments"),
        "bytearray of a number": (Call("builtins bytearray", (10**12,)), "unusual arguments"),
        "bytes of a number": (Call("builtins bytes", (10**12,)), "unusual arguments"),
        "other encoding": (Call("_codecs encode", ("x", "rot13")), "unusual arguments"),
    }


def states() -> Hostile:
    """Files that give a state, or items, to what takes none."""

    def space(state: object) -> Call:
        return Call("argparse Namespace", state=state, new=True)

    return {
        "state sets the class": (space({"__class__": 1}), "sets the attribute __class__"),
        "state sets reduce": (space({"__reduce__": 1}), "sets the attribute __reduce__"),
        "slots": (space(({}, {"__class__": 1})), "gives tuple as the state"),
        "state has numbers": (space({1: 2}), "gives dict as the state"),
        "two states": (
            Raw(b"cargparse\nNamespace\n)\x81}\x8c\x01aK\x01sb}b"),
            "gives a state to an instance of argparse.Namespace, which takes none",
        ),
        "state of a class": (
            Raw(b"cbuiltins\nset\n}b"),
            "gives a state to the name builtins.set, which takes none",
        ),
        "state of a list": (Raw(b"]}b"), "gives a state to list"),
        "state of a dict": (
            Call("collections OrderedDict", (), {"__class__": 1}),
            "sets the attribute __class__",
        ),
        "items of a number": (Raw(b"K\x01K\x02a"), "puts items in int, which is not a list"),
        "entries of a list": (Raw(b"]K\x01K\x02s"), "puts entries in list, which is not a dict"),
        "entries of a class": (Raw(b"cos\npath\nK\x01K\x02s"), r"names os\.path"),
        "items of a list": (Raw(b"](K\x01\x90"), "puts items in list, which is not a set"),
    }
