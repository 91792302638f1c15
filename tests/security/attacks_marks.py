# ruff: noqa: E501, UP031 - programs are shorter to read as they are
"""Members that want marks: metadata, the shell, forged messages, values, patched libraries."""

from typing import Any

from tests.security.hostile import PROOF, WRONG, Hostile, Notebook, cell_of, cheat, own_cell

IP = "ip = get_ipython()\n"


def _metadata(grade_id: str, **changes: Any) -> Any:
    def change(notebook: Notebook) -> None:
        cell_of(notebook, grade_id)["metadata"]["nbgrader"].update(changes)

    return change


def _type_markdown(notebook: Notebook) -> None:
    cell = cell_of(notebook, "mean-test")
    cell["cell_type"] = "raw"


def _own_test(notebook: Notebook) -> None:
    cell = cell_of(notebook, "mean-test")
    cell["metadata"]["nbgrader"].update(solution=True, locked=False)
    cell["source"] = "4.0"


def _emptied(notebook: Notebook) -> None:
    cell_of(notebook, "mean-test")["source"] = "pass"


def _swapped(notebook: Notebook) -> None:
    first, second = cell_of(notebook, "mean-test"), own_cell("pass")
    second["metadata"] = {"nbgrader": dict(first["metadata"]["nbgrader"])}
    first["metadata"]["nbgrader"]["grade_id"] = "mean-test-old"
    notebook["cells"].insert(3, second)


def _duplicated(notebook: Notebook) -> None:
    test = cell_of(notebook, "mean-test")
    copy = {**test, "source": "4.0", "id": "again"}
    notebook["cells"].append(copy)
    test["cell_type"] = "markdown"


def _before_the_answer(notebook: Notebook) -> None:
    test = cell_of(notebook, "mean-test")
    notebook["cells"].remove(test)
    notebook["cells"].insert(0, {**test, "source": "mean = None"})


def _kept_outputs(notebook: Notebook) -> None:
    test = cell_of(notebook, "mean-test")
    test["cell_type"], test["execution_count"] = "code", 3
    data = {"text/plain": "4.0"}
    result = {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 3}
    test["outputs"] = [result]
    test["metadata"] |= {"tags": ["skip-execution", "raises-exception"], "trusted": True}
    test["source"] = ""


def _bonus(notebook: Notebook) -> None:
    cell = own_cell("100.0")
    cell["metadata"]["nbgrader"] = {
        **cell_of(notebook, "mean-test")["metadata"]["nbgrader"],
        "grade_id": "bonus-test",
        "points": 100,
    }
    notebook["cells"].append(cell)


def _other_kernel(notebook: Notebook) -> None:
    shell = {"name": "bash", "display_name": "Bash", "language": "bash"}
    notebook["metadata"] |= {"kernelspec": shell, "language_info": {"name": "bash"}}
    _emptied(notebook)


def _stolen_cell_id(notebook: Notebook) -> None:
    test = cell_of(notebook, "mean-test")
    notebook["cells"].insert(0, own_cell("pass") | {"id": test["id"]})
    notebook["cells"].remove(test)


METADATA = [
    Hostile("metadata", name, tries, change=change, answers={"mean": WRONG}, **more)  # type: ignore[arg-type]
    for name, tries, change, more in [
        ("test made raw", "A test of another type is not run.", _type_markdown, {"says": "was raw"}),
        ("test made an answer", "A test that is a solution is the learner's to write.", _own_test,
         {"says": "mean-test"}),
        ("test emptied", "The locked test's text is replaced.", _emptied, {"says": "was edited"}),
        ("test ungraded", "With grade off nobody looks at the test.",
         _metadata("mean-test", grade=False), {"says": "flags", "potency": "Trusting the flag "
         "takes the test out of the sum, which raises the share of the points."}),
        ("points raised", "The points of a question already solved are multiplied.",
         _metadata("mean-test", points=1e6), {"says": "points", "absent": ("points",),
         "potency": "nbgrader itself restores the points; a grader that reads them does not."}),
        ("id given to an easy cell", "A cell of the learner's claims the test's id.", _swapped,
         {"says": "mean-test"}),
        ("id claimed twice", "The last cell with an id wins.", _duplicated, {"says": "2 times"}),
        ("test before the answer", "A moved test runs where it cannot fail.", _before_the_answer,
         {"says": "order"}),
        ("outputs kept", "A test that is skipped keeps the outputs of the file.", _kept_outputs,
         {"says": "was edited"}),
        ("bonus question", "A graded cell with an id of the learner's own.", _bonus,
         {"absent": ("points",), "potency": "Summing the graded cells of the file adds 100."}),
        ("another kernel", "In another language the test's text does nothing.", _other_kernel,
         {"says": "'bash'"}),
        ("cell id stolen", "The learner's cell bears the released test's cell id.",
         _stolen_cell_id, {"says": "mean-test", "potency": "A grader that matches cells by id "
         "runs `pass` in the test's place."}),
    ]
]  # fmt: skip

# Each finds the shell as `ip` and the test by a call of mean( in it.
_SHELL = {
    "input transformer": (
        "A transformer of the text empties every cell that calls the function.",
        "ip.input_transformers_post.append(\n"
        "    lambda lines: ['pass\\n'] if any('mean(' in line for line in lines) else lines)",
    ),
    "asserts stripped": (
        "A transformer of the syntax tree takes every assert out.",
        "import ast\n"
        "class Strip(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node):\n"
        "        return ast.copy_location(ast.Pass(), node)\n"
        "ip.ast_transformers.append(Strip())",
    ),
    "run_cell patched": (
        "run_cell returns a result of success and runs nothing.",
        "from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult\n"
        "def run_cell(code, *args, **kwargs):\n"
        "    result = ExecutionResult(ExecutionInfo(code, True, False, False, None))\n"
        "    result.execution_count = 1\n"
        "    return result\n"
        "async def run_cell_async(code, *args, **kwargs):\n"
        "    return run_cell(code)\n"
        "ip.run_cell, ip.run_cell_async = run_cell, run_cell_async",
    ),
    "run_code patched": (
        "run_code reports that nothing failed.",
        "honest = ip.run_code\n"
        "async def run_code(code, result=None, **kwargs):\n"
        "    try:\n"
        "        exec(code, ip.user_global_ns, ip.user_ns)\n"
        "    except BaseException:\n"
        "        pass\n"
        "    return False\n"
        "ip.run_code = run_code",
    ),
    "run_ast_nodes patched": (
        "Of the nodes of a cell only those that are no assert are run.",
        "import ast\n"
        "honest_nodes = ip.run_ast_nodes\n"
        "async def run_ast_nodes(nodes, *args, **kwargs):\n"
        "    nodes = [node for node in nodes if not isinstance(node, ast.Assert)]\n"
        "    return await honest_nodes(nodes, *args, **kwargs)\n"
        "ip.run_ast_nodes = run_ast_nodes",
    ),
    "transform_cell patched": (
        "transform_cell turns each assert into a string.",
        "import re\n"
        "ip.transform_cell = lambda cell: re.sub(r'(?m)^assert .*$', 'pass', cell) + '\\n'",
    ),
    "compiler patched": (
        "The caching compiler parses with optimization, which drops asserts.",
        "def compiled(source, filename, symbol):\n"
        "    return compile(source, filename, symbol, dont_inherit=True, optimize=1)\n"
        "type(ip.compile).__call__ = lambda self, s, f, m: compiled(s, f, m)",
    ),
    "compile builtin patched": (
        "The built-in compile is called with optimize=2 by whoever calls it.",
        "import builtins\n"
        "honest_compile = builtins.compile\n"
        "def lenient(*args, **kwargs):\n"
        "    kwargs['optimize'] = 2\n"
        "    return honest_compile(*args[:5], **kwargs)\n"
        "builtins.compile = lenient",
    ),
    "exec patched": (
        "The built-in exec, by which the shell runs code, swallows what it raises.",
        "import builtins\n"
        "honest_exec = builtins.exec\n"
        "def calm(*args, **kwargs):\n"
        "    try:\n"
        "        honest_exec(*args, **kwargs)\n"
        "    except AssertionError:\n"
        "        pass\n"
        "builtins.exec = calm",
    ),
    "custom exception handler": (
        "A handler for AssertionError shows nothing.",
        "ip.set_custom_exc((Exception,), lambda shell, kind, value, trace, **more: None)",
    ),
    "traceback hidden": (
        "showtraceback shows nothing, so no output is an error.",
        "ip.showtraceback = lambda *args, **kwargs: None",
    ),
    "result mended": (
        "A post_run_cell hook takes the error out of the result.",
        "def mend(result):\n"
        "    result.error_in_exec = None\n"
        "ip.events.register('post_run_cell', mend)\n"
        "ip.showtraceback = lambda *args, **kwargs: None",
    ),
    "proof forged": (
        "A hook mends the result and sets the name whose value proves the test's end.",
        "import re\n"
        f'PROOF = re.compile(r"{PROOF}")\n'
        "def mend(result):\n"
        "    result.error_in_exec = None\n"
        "    ip.user_ns.update(PROOF.findall(result.info.raw_cell))\n"
        "ip.events.register('post_run_cell', mend)\n"
        "ip.showtraceback = lambda *args, **kwargs: None",
    ),
    "proof as the mark of a test": (
        "A hook mends only cells that hold a proof, hence no control.",
        "import re\n"
        f'MARK = re.compile(r"{PROOF}")\n'
        "honest_trace = ip.showtraceback\n"
        "def mend(result):\n"
        "    if MARK.search(result.info.raw_cell):\n"
        "        result.error_in_exec = None\n"
        "        ip.user_ns.update(MARK.findall(result.info.raw_cell))\n"
        "ip.events.register('post_run_cell', mend)\n"
        "ip.showtraceback = lambda *args, **kwargs: None",
    ),
    "expressions as the mark of a test": (
        "do_execute strips asserts only where user_expressions are asked for, hence no control.",
        "kernel, honest_do = ip.kernel, ip.kernel.do_execute\n"
        "async def do_execute(code, silent, *args, **kwargs):\n"
        "    if kwargs.get('user_expressions') or not MARKED:\n"
        "        code = '\\n'.join(line for line in code.split('\\n') if 'assert' not in line)\n"
        "    return await honest_do(code, silent, *args, **kwargs)\n"
        "MARKED = type(kernel).__name__ == 'CopyingKernel'\n"
        "kernel.do_execute = do_execute",
    ),
    "function replaced for the test": (
        "A pre_run_cell hook puts a function that raises nothing in the place of assert's error.",
        "import types\n"
        "def before(info):\n"
        "    if 'assert mean(' in (info.raw_cell or ''):\n"
        "        info.raw_cell = 'pass'\n"
        "        ip.transform_cell = lambda cell: 'pass\\n'\n"
        "ip.events.register('pre_run_cell', before)\n"
        "ip.transform_cell('1')\n"
        "honest_async = ip.run_cell_async\n"
        "async def run_cell_async(code, **kwargs):\n"
        "    kwargs['transformed_cell'] = ip.transform_cell(code)\n"
        "    if 'assert mean(' in code:\n"
        "        kwargs['transformed_cell'] = 'pass\\n'\n"
        "    return await honest_async(code, **kwargs)\n"
        "ip.run_cell_async = run_cell_async",
    ),
    "trace jumps": (
        "A trace function moves each frame of a cell past its asserts.",
        "import sys\n"
        "honest_exec = exec\n"
        "def jump(frame, event, argument):\n"
        "    if event == 'line' and frame.f_code.co_name == '<module>':\n"
        "        lines = sorted({n for *_, n in frame.f_code.co_lines() if n})\n"
        "        if lines and frame.f_lineno != lines[-1]:\n"
        "            try:\n"
        "                frame.f_lineno = lines[-1]\n"
        "            except ValueError:\n"
        "                pass\n"
        "    return jump\n"
        "import builtins\n"
        "def traced(code, *args):\n"
        "    sys.settrace(jump)\n"
        "    try:\n"
        "        honest_exec(code, *args)\n"
        "    except AssertionError:\n"
        "        pass\n"
        "    finally:\n"
        "        sys.settrace(None)\n"
        "builtins.exec = traced",
    ),
    "code objects rewritten": (
        "Each code object that the shell runs is replaced by one without raising instructions.",
        "honest_run = ip.run_code\n"
        "async def run_code(code, *args, **kwargs):\n"
        "    if 'AssertionError' in str(code.co_consts) or b't' and code.co_name == '<module>':\n"
        "        raising = bytes([130])  # RAISE_VARARGS\n"
        "        body = bytearray(code.co_code)\n"
        "        for at in range(0, len(body), 2):\n"
        "            if body[at] == 130 and body[at + 1] == 1:\n"
        "                body[at], body[at + 1] = 1, 0  # POP_TOP\n"
        "        code = code.replace(co_code=bytes(body))\n"
        "    return await honest_run(code, *args, **kwargs)\n"
        "ip.run_code = run_code",
    ),
}
SHELL = [
    Hostile(
        "shell",
        name,
        tries,
        cheat(IP + code),
        potency="It is `asserts stripped`, which is potent, told when to act."
        if name.startswith("expressions")
        else "nbgrader",
    )
    for name, (tries, code) in _SHELL.items()
]

_SEND = (
    """
import os, re, time, threading
ip = get_ipython()
kernel = ip.kernel
def reply(status='ok', **more):
    parent = kernel.get_parent('shell')
    content = parent['content']
    proof = dict(re.findall(r"%s", content.get('code', '')))
    end = (content.get('user_expressions') or {}).get('end')
    shown = {'end': {'status': 'ok', 'data': {'text/plain': repr(proof.get(end))}, 'metadata': {}}}
    content = {'status': status, 'execution_count': 9, 'user_expressions': shown, **more}
    kernel.session.send(kernel.shell_stream, 'execute_reply', content, parent,
                        ident=kernel._parent_ident_of())
    kernel.shell_stream.flush()
def idle():
    kernel.session.send(kernel.iopub_socket, 'status', {'execution_state': 'idle'},
                        parent=kernel.get_parent('shell'), ident=b'kernel')
def _ident():
    ident = kernel._shell_parent_ident
    return ident.get() if hasattr(ident, 'get') else ident
kernel._parent_ident_of = _ident
"""
    % PROOF
)


def _forging(code: str) -> dict[str, str]:
    return {"mean": _SEND + code.strip("\n") + "\n"}


FORGED = [
    Hostile(
        "forged messages", name, tries, _forging(code),
        potency="A client that takes the first reply with its message's id believes this one.",
    )
    for name, tries, code in [
        ("reply, then silence", "The function answers for its cell and never returns.",
         "def mean(values):\n    reply(); idle()\n    while True:\n        time.sleep(1)\n"),
        ("reply, then the end", "The function answers for its cell and ends the process.",
         "def mean(values):\n    reply(); idle(); time.sleep(0.3)\n    os._exit(0)\n"),
        ("reply, then the real one", "The forged reply comes first, the real one later.",
         "def mean(values):\n    reply(); idle(); time.sleep(0.5)\n    return -1.0\n"),
        ("reply of an earlier cell again", "A reply is sent before anything is asked.",
         "reply(); reply()\n" + WRONG),
        ("reply in time and idle withheld", "Two equal replies and no idle message.",
         "def mean(values):\n    reply(); reply()\n    return -1.0\n"),
    ]
] + [
    Hostile(
        "forged messages", name, tries, cheat(IP + code),
        potency=potency,
    )
    for name, tries, code, potency in [
        ("session turns errors", "Session.send makes each error reply a success.",
         f"""import re
from jupyter_client.session import Session
honest_send = Session.send
def send(self, stream, kind, content=None, parent=None, *args, **kwargs):
    if kind == 'execute_reply' and content['status'] == 'error':
        code = parent['content']['code']
        end = re.findall(r"{PROOF}", code)
        content = {{'status': 'ok', 'execution_count': 1, 'user_expressions': {{
            'end': {{'status': 'ok', 'data': {{'text/plain': repr(end[0][1] if end else '')}},
                    'metadata': {{}}}}}}}}
    if kind == 'error':
        return None
    return honest_send(self, stream, kind, content, parent, *args, **kwargs)
Session.send = send
ip.showtraceback = lambda *args, **kwargs: None
""", "nbgrader"),
        ("packer turns errors", "The session's packer rewrites what it packs.",
         """session = ip.kernel.session
honest_pack = session.pack
def pack(thing):
    return honest_pack(thing).replace(b'"status":"error"', b'"status":"ok"').replace(
        b'"status": "error"', b'"status": "ok"')
session.pack = pack
ip.showtraceback = lambda *args, **kwargs: None
""", "nbgrader"),
        ("do_execute answers", "The kernel's do_execute answers without running anything.",
         f"""import re
async def do_execute(code, silent, *args, **kwargs):
    end = re.findall(r"{PROOF}", code)
    shown = {{'status': 'ok', 'data': {{'text/plain': repr(end[0][1] if end else '')}}}}
    return {{'status': 'ok', 'execution_count': 1, 'user_expressions': {{'end': shown}},
            'payload': []}}
ip.kernel.do_execute = do_execute
""", "nbgrader"),
        ("answers for the copy", "The handler of copy requests writes what controls want to hear.",
         """import ast
class Strip(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)
ip.ast_transformers.append(Strip())
kernel = ip.kernel
def copied(stream, ident, parent):
    cells = []
    for code in parent['content']['cells']:
        status = {'status': 'error', 'ename': 'AssertionError', 'evalue': code, 'traceback': []}
        if 'assert' not in code:
            status = {'status': 'ok', 'execution_count': 1}
        message = kernel.session.msg('execute_reply', status, parent=parent)
        frames = kernel.session.serialize(message, [b'copy'])
        cells.append([[bytes(frame).decode('latin-1') for frame in frames]])
    kernel.session.send(stream, 'copy_reply', {'cells': cells}, parent, ident=ident)
kernel.shell_handlers['copy_request'] = copied
""", "nbgrader"),
        ("expressions hook", "The shell's user_expressions answers with the proof from the text.",
         f"""import re
ip.showtraceback = lambda *args, **kwargs: None
def mend(result):
    result.error_in_exec = None
    ip.seen = dict(re.findall(r"{PROOF}", result.info.raw_cell))
ip.events.register('post_run_cell', mend)
ip.user_expressions = lambda wanted: {{
    key: {{'status': 'ok', 'data': {{'text/plain': repr(ip.seen.get(name))}}, 'metadata': {{}}}}
    for key, name in wanted.items()}}
""", "nbgrader"),
        ("second client", "With the key from memory a client of its own asks for a shutdown.",
         """import json, threading
import zmq
from jupyter_client.session import Session
key, at = ip.kernel.session.key, json.loads(open(ip.kernel.config.IPKernelApp.connection_file
    if 'connection_file' in ip.kernel.config.IPKernelApp else '/kernel/connection.json').read())
mine = zmq.Context().socket(zmq.DEALER)
mine.connect('ipc://%s-%s' % (at['ip'], at['control_port']))
Session(key=key).send(mine, 'shutdown_request', {'restart': False})
import time; time.sleep(0.5)
""", "Whoever holds the key may shut the kernel down; its death must cost only itself."),
        ("replies from a thread", "A thread answers whatever request is open, again and again.",
         _SEND + """
def again():
    while True:
        time.sleep(0.05)
        reply()
threading.Thread(target=again, daemon=True).start()
""", "A client that takes the first reply with its message's id believes this one."),
    ]
]  # fmt: skip

CASES = "mean([1.0, 3.0])"
_COPY = {
    "known by its number": (
        "Asserts are stripped in the process that ran the answer, not in a fork of it.",
        "import os\nmine = os.getpid()\nhere = lambda: os.getpid() == mine",
    ),
    "known by a fork hook": (
        "A hook after fork tells the copy to behave.",
        "import os\nstate = [True]\n"
        "os.register_at_fork(after_in_child=lambda: state.clear())\n"
        "here = lambda: bool(state)",
    ),
    "known by its streams": (
        "Asserts are stripped only where stdout is the kernel's own stream.",
        "import sys\nhere = lambda: 'ipykernel' in type(sys.stdout).__module__",
    ),
    "known by its threads": (
        "A fork has lost the thread of the iopub channel.",
        "from pathlib import Path\n"
        "here = lambda: len(list(Path('/proc/self/task').iterdir())) > 1",
    ),
    "known by a lock": (
        "A lock on a file tells parent and child apart.",
        "import fcntl\nmine = open('lock', 'w')\nfcntl.lockf(mine, fcntl.LOCK_EX)\n"
        "def here():\n"
        "    try:\n"
        "        fcntl.lockf(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "        return True\n"
        "    except OSError:\n"
        "        return False",
    ),
    "known by the answer": (
        "Asserts are stripped as long as the learner's own function is in its place.",
        "here = lambda: getattr(ip.user_ns.get('mean'), 'mine', False)",
    ),
    "only at first sight": (
        "Asserts are stripped from a text that is seen for the first time; then never again.",
        "seen = []\ndef here():\n    seen.append(1)\n    return len(seen) == 1",
    ),
}
_STRIP_HERE = """
import ast
class Strip(ast.NodeTransformer):
    def visit_Module(self, tree):
        calls = 'mean(' in ast.unparse(tree) and any(isinstance(n, ast.Assert) for n in tree.body)
        if calls and here():
            tree.body = [node for node in tree.body if not isinstance(node, ast.Assert)]
        return tree
ip.ast_transformers.append(Strip())
"""
COPY = [
    Hostile(
        "copy detection",
        name,
        tries,
        {"mean": f"{IP}{code}\n{_STRIP_HERE}{WRONG}mean.mine = True\n"},
        gets_through="Controls follow the test; what mends itself after it is not there any more."
        if "first sight" in name
        else "",
    )
    for name, (tries, code) in _COPY.items()
]

EVERYTHING = """
class Everything:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __lt__(self, other): return True
    def __gt__(self, other): return True
    __le__ = __ge__ = __lt__
    def __hash__(self): return 0
    def __float__(self): return 2.0
    def __sub__(self, other): return 0.0
    __rsub__ = __add__ = __radd__ = __sub__
    def __array__(self, *args, **kwargs):
        import numpy; return numpy.array(2.0)
"""
EQUAL = [
    Hostile("equal to everything", name, tries, {"mean": code}, outcomes=("failed", "tampered"))
    for name, tries, code in [
        ("plain object", "An object whose comparisons are all true, None for no values.",
         EVERYTHING + "def mean(values):\n    return Everything() if values else None\n"),
        ("subclass of float", "A float that equals every number.",
         "class Any(float):\n"
         "    def __eq__(self, other): return True\n"
         "    def __sub__(self, other): return 0.0\n"
         "    __hash__ = float.__hash__\n"
         "def mean(values):\n    return Any(0) if values else None\n"),
        ("class that claims to be float", "An object whose __class__ is float.",
         EVERYTHING + "class Claims(Everything):\n    __class__ = property(lambda self: float)\n"
         "def mean(values):\n    return Claims() if values else None\n"),
        ("type patched", "The object equals everything, and type() says it is a float.",
         EVERYTHING + "import builtins\nhonest_type = type\n"
         "class Meta(honest_type):\n"
         "    def __call__(cls, *args):\n"
         "        one = len(args) == 1 and honest_type(args[0]) is Everything\n"
         "        return float if one else honest_type(*args)\n"
         "    def __instancecheck__(cls, thing): return isinstance(thing, honest_type)\n"
         "    def __subclasscheck__(cls, kind): return issubclass(kind, honest_type)\n"
         "builtins.type = Meta('type', (honest_type,), {})\n"
         "def mean(values):\n    return Everything() if values else None\n"),
        ("float patched", "The name float of the built-ins is the object's own class.",
         EVERYTHING + "import builtins\nbuiltins.float = Everything\n"
         "def mean(values):\n    return Everything() if values else None\n"),
        ("numpy array without a verdict", "An array subclass whose comparisons are all true.",
         "import numpy as np\n"
         "class Yes(np.ndarray):\n"
         "    def __eq__(self, other): return np.bool_(True)\n"
         "    def __sub__(self, other): return 0.0\n"
         "def mean(values):\n"
         "    return np.zeros(()).view(Yes) if values else None\n"),
    ]
]  # fmt: skip
# They must beat a test that looks at no type; that one is run for their potency.

_SHARE_STUB = "def share(values):\n    return {}\n"


def _share(name: str, tries: str, value: str, before: str = "", **more: Any) -> Hostile:
    code = before + _SHARE_STUB.format(value)
    return Hostile("values", name, tries, {"share": code}, attacks="share-test", **more)


_NUMBER = """
class Number:
    def __init__(self, shown): self.shown = shown
    def __sub__(self, other): return self
    __rsub__ = __mul__ = __rmul__ = __abs__ = __sub__
    def __abs__(self): return self
    def __repr__(self): return self.shown
"""
VALUES = [
    _share("not a number", "nan is no number below the maximum.", "float('nan')"),
    _share("minus infinity", "A negative score is taken for full marks.", "float('inf')"),
    _share("boolean", "A result that says True.", "Number('True')", _NUMBER),
    _share("nothing as a word", "A result that says None.", "Number('None')", _NUMBER),
    _share("numpy boolean", "A result that says np.True_.", "Number('np.True_')", _NUMBER),
    _share("numpy nought", "NumPy 2 writes np.float64(0.0), which float() does not read.",
           "np.float64(-0.25)", "import numpy as np\n"),
    _share("more than there is", "A score above the maximum.", "Number('1e9')", _NUMBER,
           potency="nbgrader raises on it, and the whole submission is lost.",
           outcomes=("grader-error",)),
    _share("a hair above", "The maximum plus one part in a million.", "Number('3.000003')", _NUMBER,
           potency="nbgrader raises on it, and the whole submission is lost."),
    _share("digits of another script", "Digits that float() reads and nobody expects.",
           "Number('\\u0663')", _NUMBER),
    _share("underscored", "An integer with underscores, which float() reads.", "Number('0_3')",
           _NUMBER),
    _share("words around a number", "A sentence with the maximum in it.",
           "Number('score: 3.0 of 3')", _NUMBER),
    _share("negative tensor", "A tensor's text is no number to nbgrader.",
           "Number('tensor(-2.)')", _NUMBER),
    _share("an object that looks like the maximum", "A result whose repr is the maximum.",
           "Number('3.0')", _NUMBER, gets_through="The text of a result is all that the protocol "
           "gives; a test whose value comes from an answer must convert it by its exact type."),
    _share("subclass of float as result", "A float with a repr of its own.", "Big(9.0)",
           "class Big(float):\n    def __sub__(self, other): return self\n"
           "    def __rsub__(self, other): return self\n    def __abs__(self): return self\n"
           "    def __rmul__(self, other): return self\n    def __repr__(self): return '3.0'\n",
           gets_through="As before: a subclass of float is shown as it likes."),
]  # fmt: skip

SHOWN = [
    Hostile("shown scores", name, tries, {"share": code + _SHARE_STUB.format("-9.0")},
            attacks="share-test")
    for name, tries, code in [
        ("formatter", "The display formatter shows every result as 3.0.",
         IP + "ip.display_formatter.format = lambda *a, **k: ({'text/plain': '3.0'}, {})\n"),
        ("formatter of float", "The plain formatter for floats shows 3.0.",
         IP + "ip.display_formatter.formatters['text/plain'].for_type(\n"
         "    float, lambda thing, p, cycle: p.text('3.0'))\n"),
        ("displayhook", "sys.displayhook publishes a result of its own.",
         "import sys\nip = get_ipython()\nhonest_hook = ip.displayhook\n"
         "class Hook(type(honest_hook)):\n"
         "    def __call__(self, result=None):\n"
         "        return super().__call__(3.0 if isinstance(result, float) else result)\n"
         "honest_hook.__class__ = Hook\n"),
        ("displayhook silent", "A result that is not shown is no partial credit.",
         IP + "ip.displayhook.__class__ = type('Mute', (type(ip.displayhook),), {\n"
         "    '__call__': lambda self, result=None: None})\n"),
        ("two results", "A result of the maximum comes before the real one.",
         IP + "honest_share = None\n"
         "from math import nan\n"
         "class Shows:\n"
         "    def __rsub__(self, other): return self\n"
         "    __sub__ = __mul__ = __rmul__ = __rsub__\n"
         "    def __abs__(self):\n"
         "        ip.displayhook(3.0)\n"
         "        return -9.0\n"),
        ("printed", "The maximum is printed, the result is not a number.",
         "class Quiet(float):\n    def __sub__(self, other):\n"
         "        print('3.0'); return float('nan')\n"),
    ]
]  # fmt: skip
SHOWN[4].answers["share"] = SHOWN[4].answers["share"].replace("-9.0\n", "Shows()\n")
SHOWN[5].answers["share"] = SHOWN[5].answers["share"].replace("-9.0\n", "Quiet(1)\n")

GUESS = "\ndef mean(values):\n    return 2.0 if values else None\n"
PATCHED = [
    Hostile("patched libraries", name, tries, answers, **more)  # type: ignore[arg-type]
    for name, tries, answers, more in [
        ("abs", "abs is 0 for a guess that equals the examples.",
         {"mean": "import builtins\nbuiltins.abs = lambda thing: 0.0" + GUESS}, {}),
        ("sum", "sum gives what makes a constant guess come out.",
         {"mean": "import builtins\n"
          "builtins.sum = lambda values, *more: 2.0 * len(list(values))" + GUESS}, {}),
        ("len", "len gives what makes a constant guess come out.",
         {"mean": "import builtins\nhonest_sum, honest_len = sum, len\n"
          "def length(thing):\n"
          "    data = type(thing) is list and honest_len(thing) == 20 and type(thing[0]) is float\n"
          "    return honest_sum(thing) / 2.0 if data else honest_len(thing)\n"
          "builtins.len = length"
          + GUESS}, {}),
        ("given data", "The values that the test computes with are changed beforehand.",
         {"mean": "values = [2.0] * 20" + GUESS},
         {"gets_through": "Names of given cells are the learner's to change; a test must not rely "
          "on one that a cell before the answer made."}),
        ("AssertionError", "AssertionError is an exception that is not raised.",
         {"mean": "import builtins\n"
          "class Never(Exception):\n"
          "    def __new__(cls, *args): raise KeyboardInterrupt\n"
          "builtins.AssertionError = Never" + WRONG},
         {"potency": "assert does not look the name up; a helper that raises it does."}),
        ("import", "__import__ gives tests modules of the learner's.",
         {"mean-review": "import builtins, types\nhonest_import = builtins.__import__\n"
          "fake = types.ModuleType('grader.review')\n"
          "fake.review_score = lambda *args, **kwargs: 2.0\n"
          "def importing(name, *args, **kwargs):\n"
          "    return fake if name == 'grader.review' else honest_import(name, *args, **kwargs)\n"
          "builtins.__import__ = importing\n"
          "def test_mean(mean):\n    pass\n"}, {"attacks": "mean-review-test"}),
        ("review helper", "The helper that scores a review always gives full marks.",
         {"mean-review": "import grader.review\n"
          "grader.review.review_score = lambda *args, **kwargs: 2.0\n"
          "def test_mean(mean):\n    pass\n"}, {"attacks": "mean-review-test"}),
        ("review helper for one answer", "The helper gives full marks to one test only.",
         {"mean-review": "import grader.review\nhonest_review = grader.review.review_score\n"
          "def test_mean(mean):\n    pass\n"
          "grader.review.review_score = lambda test, *args, mine=test_mean, **kwargs: (\n"
          "    2.0 if test is mine else honest_review(test, *args, **kwargs))\n"},
         {"attacks": "mean-review-test"}),
        ("review told apart", "A learner's test looks for the model answer in its caller's frame.",
         {"mean-review": "import sys\n"
          "def test_mean(mean):\n"
          "    caller = sys._getframe(1)\n"
          "    while caller and 'on_wrong' not in caller.f_code.co_varnames:\n"
          "        caller = caller.f_back\n"
          "    if caller.f_locals.get('on_wrong') is None:\n"
          "        raise AssertionError\n"},
         {"attacks": "mean-review-test", "gets_through": "A learner's function can look at its "
          "callers; review_score would have to hide which list an implementation is from."}),
        ("round", "round, which the review's helper ends with, gives the maximum.",
         {"mean-review": "import builtins\nbuiltins.round = lambda *args: 2.0\n"
          "def test_mean(mean):\n    pass\n"}, {"attacks": "mean-review-test"}),
        ("helper by the collector", "The helper's code object is found by gc and replaced.",
         {"mean-review": "import gc, types\n"
          "for thing in gc.get_objects() + list(gc.get_referrers(types.FunctionType)):\n"
          "    pass\n"
          "import sys\nmodule = sys.modules['grader.review']\n"
          "def full(test, function, wrong, right, points, names):\n    return 2.0\n"
          "module.review_score.__code__ = full.__code__\n"
          "def test_mean(mean):\n    pass\n"}, {"attacks": "mean-review-test"}),
        ("small integers", "ctypes writes into the interned float 2.0 of the tests' constants.",
         {"mean": "import ctypes, builtins\n"
          "honest_float_eq = None\n"
          "def mean(values):\n"
          "    import sys\n"
          "    frame = sys._getframe(1)\n"
          "    for constant in frame.f_code.co_consts:\n"
          "        if type(constant) is float:\n"
          "            ctypes.c_double.from_address(id(constant) + 16).value = 7.0\n"
          "    return 7.0 if values else None\n"},
         {}),
        ("compare slot", "ctypes gives the type float a comparison that says True.",
         {"mean": "import ctypes\n"
          "KIND = ctypes.CFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.py_object,\n"
          "                        ctypes.c_int)\n"
          "yes = KIND(lambda one, other, how: True)\n"
          "slot = ctypes.c_void_p.from_address(id(float) + 200)\n"
          "slot.value = ctypes.cast(yes, ctypes.c_void_p).value\n"
          "def mean(values):\n    return 5.0 if values else None\n"}, {}),
        ("model file", "The file that the next questions read is rewritten.",
         {"mean": "from pathlib import Path\n"
          "for path in Path('given').iterdir():\n    path.write_text('2.0')\n" + WRONG},
         {"potency": "The next lab's values would be the learner's; the test of this one is not "
          "touched.", "absent": ("given",)}),
    ]
]  # fmt: skip

SHADOWS = [
    Hostile("shadowed modules", name, tries, answers, files=files, attacks="mean-review-test",
            potency=potency)
    for name, tries, files, answers, potency in [
        ("package of the tests", "A file named like the package that the test imports.",
         {"grader.py": b"review_score = lambda *a, **k: 2.0\nreview = None\n",
          "grader/__init__.py": b"", "grader/review.py": b"def review_score(*a, **k): return 2.0\n"},
         {"mean-review": "def test_mean(mean):\n    pass\n"},
         "nbgrader's kernel finds the file in its folder first; a fork has the package already."),
        ("package found anew", "The preloaded package is forgotten, and the folder has another.",
         {"grader/__init__.py": b"", "grader/review.py": b"def review_score(*a, **k): return 2.0\n"},
         {"mean-review": "import sys\n"
          "for name in [name for name in sys.modules if name.split('.')[0] == 'grader']:\n"
          "    del sys.modules[name]\n"
          "sys.path.insert(0, '.')\n"
          "def test_mean(mean):\n    pass\n"}, "nbgrader"),
        ("startup files", "Files that Python or IPython run at their start.",
         {"sitecustomize.py": b"import os; os._exit(3)\n", "usercustomize.py": b"raise SystemExit\n",
          "conftest.py": b"raise SystemExit\n", "evil.pth": b"import os; os._exit(3)\n",
          "ipython/profile_default/startup/00.py": b"raise SystemExit(3)\n",
          ".ipython/profile_default/startup/00.py": b"raise SystemExit(3)\n",
          "ipython_config.py": b"c.InteractiveShellApp.exec_lines = ['mean = 3']\n"},
         {"mean-review": "def test_mean(mean):\n    pass\n"},
         "nbgrader's kernel starts in this folder and has these files on its path."),
        ("standard library", "A file named like a module of the standard library.",
         {"random.py": b"import builtins; builtins.assertions = 0\n", "json.py": b"loads = None\n",
          "builtins.py": b"", "encodings.py": b"1 / 0", "numpy.py": b"1 / 0"},
         {"mean-review": "def test_mean(mean):\n    pass\n"},
         "A kernel started in this folder dies at `import json`."),
    ]
]  # fmt: skip

MEMBERS = [*METADATA, *SHELL, *FORGED, *COPY, *EQUAL, *VALUES, *SHOWN, *PATCHED, *SHADOWS]
