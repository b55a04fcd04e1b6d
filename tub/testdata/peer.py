"""The Python half of the interop tests: a real Foolscap peer.

    peer.py serve CERTFILE    prints "tubid: ID" and "furl: FURL", serves until
                              its standard input ends
    peer.py client CERTFILE   prints "tubid: ID", reads a FURL, tries everything
                              on the object there, prints one JSON line a check
"""

import json
import math
import os
import sys
from decimal import Decimal

from foolscap.api import Referenceable, Tub
from foolscap.util import allocate_tcp_port
from twisted.internet import defer, reactor, stdio
from twisted.protocols.basic import LineReceiver


def shared():
    s = [1, 2]
    return [s, s]


def cyclic_list():
    c = [1]
    c.append(c)
    return c


def cyclic_dict():
    d = {"n": 1}
    d["self"] = d
    return d


def tuple_in_cycle():
    c = []
    c.append((c, 7))
    return c


# Every value, by a name that the Go half knows too. Functions make the values
# whose structure, not only their contents, must survive.
VALUES = {
    "none": None,
    "true": True,
    "false": False,
    "zero": 0,
    "one": 1,
    "minus one": -1,
    "int31": 2**31 - 1,
    "two to 31": 2**31,
    "minus two to 31": -(2**31),
    "below minus two to 31": -(2**31) - 1,
    "int63": 2**63 - 1,
    "minus two to 63": -(2**63),
    "two to 63": 2**63,
    "two to 2000": 2**2000,
    "minus two to 2000": -(2**2000),
    "float": 1.5,
    "float whole": 2.0,
    "float tiny": 5e-324,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "nan": math.nan,
    "bytes": b"abc\x00\xff",
    "bytes empty": b"",
    "bytes vocabulary": b"list",
    "text": "gr\u00fc\u00df \u1234 \U0001f600",
    "text empty": "",
    "text vocabulary": "unicode",
    "list": [1, "two", b"three", None],
    "list empty": [],
    "list nested": [[[[]]], [1, [2]]],
    "tuple": (1, "two", (3,)),
    "tuple empty": (),
    "dict": {"a": 1, "b": [2]},
    "dict empty": {},
    "dict int keys": {1: "one", 2: "two"},
    "dict bytes keys": {b"k": 1},
    "dict tuple keys": {(1, 2): 3},
    "set": {1, 2, 3},
    "set empty": set(),
    "frozenset": frozenset([1, 2]),
    "set of frozensets": {frozenset([1]), frozenset()},
    "decimal": Decimal("1.50"),
    "decimal small": Decimal("-1E-7"),
    "decimal infinity": Decimal("Infinity"),
    "shared": shared,
    "cyclic list": cyclic_list,
    "cyclic dict": cyclic_dict,
    "tuple in cycle": tuple_in_cycle,
}


def value(name):
    v = VALUES[name]
    return v() if callable(v) else v


def same(a, b):
    """Equal, with the same types all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float) and math.isnan(a):
        return math.isnan(b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(k in b and same(a[k], b[k]) for k in a)
    return a == b


def fits(name, v):
    if name == "shared":
        return same(v, [[1, 2], [1, 2]]) and v[0] is v[1]
    if name == "cyclic list":
        return type(v) is list and len(v) == 2 and v[0] == 1 and v[1] is v
    if name == "cyclic dict":
        return type(v) is dict and sorted(v) == ["n", "self"] and v["self"] is v
    if name == "tuple in cycle":
        return len(v) == 1 and type(v[0]) is tuple and v[0][1] == 7 and v[0][0] is v
    return same(v, VALUES[name])


class OurError(Exception):
    pass


class Callback(Referenceable):
    def __init__(self):
        self.calls = []

    def remote_notify(self, *args):
        self.calls.append(args)
        return len(self.calls)


class Target(Referenceable):
    def __init__(self, tub):
        self.tub = tub
        self.held = None
        self.own = Callback()

    def remote_names(self):
        return sorted(VALUES)

    def remote_echo(self, v):
        return v

    def remote_check(self, name, v):
        return fits(name, v) or "%s arrived as %r" % (name, v)

    def remote_give(self, name):
        return value(name)

    def remote_add(self, a, b):
        return a + b

    def remote_keywords(self, *args, **kw):
        return [list(args), kw]

    def remote_fail(self, message):
        raise ValueError(message)

    def remote_fail_own(self, message):
        raise OurError(message)

    def remote_notify(self, ref, v):
        return ref.callRemote("notify", v)

    def remote_hold(self, ref):
        self.held = ref

    def remote_held(self):
        return self.held

    def remote_is_held(self, ref):
        return ref is self.held

    def remote_own(self):
        return self.own

    def remote_is_own(self, obj):
        return obj is self.own

    def remote_length(self, b):
        return len(b)

    def remote_never(self):
        return defer.Deferred()

    def remote_die(self):
        os._exit(9)


def start(certfile):
    tub = Tub(certFile=certfile)
    tub.startService()
    print("tubid: " + tub.getTubID(), flush=True)
    return tub


class EndWithInput(LineReceiver):
    delimiter = b"\n"

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()


def serve(certfile):
    tub = start(certfile)
    port = allocate_tcp_port()
    tub.listenOn("tcp:%d:interface=127.0.0.1" % port)
    tub.setLocation("tcp:127.0.0.1:%d" % port)
    print("furl: " + tub.registerReference(Target(tub)), flush=True)
    stdio.StandardIO(EndWithInput())
    reactor.run()


# --- the client -------------------------------------------------------------


def settle(d):
    """Twisted cannot raise a CopiedFailure out of a yield, so failures come as
    values."""
    d.addCallbacks(lambda v: ("ok", v), lambda f: ("failed", f))
    return d


def report(check, ok, detail=""):
    print(json.dumps({"check": check, "ok": bool(ok), "detail": str(detail)[:500]}), flush=True)


@defer.inlineCallbacks
def checks(tub, furl):
    def call(method, *args, **kw):
        return settle(ref.callRemote(method, *args, **kw))

    how, ref = yield settle(tub.getReference(furl))
    report("getReference", how == "ok", ref)
    if how != "ok":
        return

    elsewhere = furl.replace(furl[5:37], tub.getTubID()[::-1])
    how, v = yield settle(tub.getReference(elsewhere))
    report("wrong TubID refused", how == "failed" and "unknown TubID" in str(v), v)

    for name in sorted(VALUES):
        how, v = yield call("echo", value(name))
        report("echo " + name, how == "ok" and fits(name, v), v)
        how, v = yield call("check", name, value(name))
        report("check " + name, how == "ok" and v is True, v)
        how, v = yield call("give", name)
        report("give " + name, how == "ok" and fits(name, v), v)

    how, v = yield call("add", 1, 2)
    report("positional", how == "ok" and v == 3, v)
    how, v = yield call("keywords", 1, b=2, a="x")
    report("keywords", how == "ok" and same(v, [[1], {"a": "x", "b": 2}]), v)

    how, v = yield call("fail", "oops \u1234")
    report("exception", how == "failed" and v.value == "oops \u1234", v)
    report("exception type", how == "failed" and v.check("errors.errorString"), v.type)
    how, v = yield call("fail_as", "builtins.KeyError", "chosen")
    report("chosen exception", how == "failed" and v.check("builtins.KeyError"), v)
    how, v = yield call("no_such_method")
    report("unknown method", how == "failed" and v.check("builtins.AttributeError"), v)
    how, v = yield call("add", 1, "two")
    report("wrong type", how == "failed" and v.check("foolscap.tokens.Violation"), v)
    report("wrong type names the argument", "argument 1" in v.getErrorMessage(), v)
    how, v = yield call("add", 1)
    report("too few arguments", how == "failed" and v.check("foolscap.tokens.Violation"), v)

    cb = Callback()
    how, v = yield call("notify", cb, "hello")
    report("called back", how == "ok" and v == 1 and cb.calls == [("hello",)], v)
    how, v = yield call("hold", cb)
    how, v = yield call("held")
    report("own object comes home", how == "ok" and v is cb, v)
    how, theirs = yield call("own")
    report("their object", how == "ok" and hasattr(theirs, "callRemote"), theirs)
    how, v = yield call("is_own", theirs)
    report("their object comes home to them", how == "ok" and v is True, v)
    how, v = yield settle(theirs.callRemote("notify", 5))
    report("their object can be called", how == "ok" and v == 1, v)
    how, again = yield call("own")
    report("the same reference again", again is theirs, again)
    how, v = yield call("is_held", cb)
    report("the same reference again, over there", how == "ok" and v is True, v)

    answers = yield defer.DeferredList([call("add", i, 1) for i in range(1000)])
    good = [r[1][1] for r in answers] == [i + 1 for i in range(1000)]
    report("1000 calls in flight", good)

    big = bytes(range(256)) * (5 * 1024 * 1024 // 256)
    how, v = yield call("echo", big)
    report("5 MB", how == "ok" and v == big)

    ref.callRemoteOnly("hold", None)
    how, v = yield call("held")
    report("one-way call", how == "ok" and v is None, v)

    # The other side ends its process, or stops its Tub, in mid-call.
    how, v = yield call("die")
    report("peer gone in mid-call", how == "failed", v)


def client(certfile):
    tub = start(certfile)
    furl = sys.stdin.readline().strip()
    d = checks(tub, furl)
    d.addErrback(lambda f: report("script", False, f.getTraceback()[-500:]))
    d.addBoth(lambda _: reactor.stop() if reactor.running else None)
    reactor.run()


if __name__ == "__main__":
    {"serve": serve, "client": client}[sys.argv[1]](sys.argv[2])
