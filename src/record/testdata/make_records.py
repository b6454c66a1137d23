#!/usr/bin/env python3
"""Writes records.ndjson: {"id","record"} a line, ids by CPython's json and hashlib over the canonical form, records
written messily (members shuffled, white space, escapes). The text comes from the program itself; no network, no clock.

make_records.py > records.ndjson
"""
import hashlib, json, random, sys

R = random.Random(20261121)

# Doubles whose ECMAScript form is written here by hand, beside a form that JSON also allows.
REALS = [("1e-7", "0.0000001"), ("1e+21", "1E21"), ("1.5", "1.50"), ("333333333.3333333", "333333333.33333329"),
         ("0", "-0.0"), ("100", "1e2"), ("5e-324", "4.9e-324"), ("0.000001", "1E-6"), ("-1.25", "-125e-2")]
WORDS = ["", "a", "Ω", "ﬀ", "😀", "\U00010000", "\uffff", "\ue000", "\u00e9", "e\u0301", "\u2028", "\x7f", "\x00", "\x1f",
         '"', "\\", "/", "\b\f\n\r\t", "body", ",\"thread\":\"", "\u202e", "日本語", "\u0080", "zz", "A", "_", "~"]
ACTS = "INTEND DO KNOW LEARN GET PUT CALL MAP".split()
TYPES = "SCALAR FORMULA DISTRIBUTION REFERENCE MORPHISM VOID".split()

class Real:
    def __init__(self, pair): self.canonical, self.other = pair

def text(): return "".join(R.choice(WORDS) for _ in range(R.randrange(4)))

def value(depth):
    k = R.randrange(9 if depth else 6)
    if k == 0: return R.choice([True, False, None])
    if k == 1: return R.choice([0, -1, 2**53 + 1, 2**63, -2**64, 10**40 + 7, R.randrange(10**6)])
    if k == 2: return Real(R.choice(REALS))
    if k < 6: return text()
    if k < 8: return {text(): value(depth - 1) for _ in range(R.randrange(5))}
    return [value(depth - 1) for _ in range(R.randrange(5))]

def canonical(v):
    if isinstance(v, Real): return v.canonical
    if isinstance(v, dict):
        # By the UTF-8 bytes of the names, as the contract has it.
        return "{" + ",".join(canonical(k) + ":" + canonical(v[k]) for k in sorted(v, key=lambda k: k.encode())) + "}"
    if isinstance(v, list): return "[" + ",".join(map(canonical, v)) + "]"
    return json.dumps(v, ensure_ascii=False)

def space(): return "".join(R.choice(" \t\r") for _ in range(R.choice([0, 0, 0, 1, 3])))

def messy(v):
    if isinstance(v, Real): s = R.choice([v.canonical, v.other])
    elif isinstance(v, dict):
        names = list(v); R.shuffle(names)
        s = "{" + ",".join(messy(k) + ":" + messy(v[k]) for k in names) + space() + "}"
    elif isinstance(v, list): s = "[" + ",".join(map(messy, v)) + space() + "]"
    elif isinstance(v, str):
        s = '"'
        for c in v:
            k = R.randrange(4)
            if k == 0 or ord(c) < 32 and k < 3:
                units = c.encode("utf-16-be")
                for i in range(0, len(units), 2): s += R.choice(["\\u%04x", "\\u%04X"]) % int.from_bytes(units[i:i+2], "big")
            elif c == "/" and k == 1: s += "\\/"
            else: s += json.dumps(c, ensure_ascii=False)[1:-1]
        s += '"'
    else: s = json.dumps(v)
    return space() + s + space()

def main():
    ids = []
    for n in range(100):
        record = {"act": R.choice(ACTS), "actor": "did:sync:user:" + text() + "x", "body": {text(): value(4) for _ in range(R.randrange(6))}, "clock":
                  R.choice([0, n, 2**53 + 1, 2**63 - 1]), "data_type": R.choice(TYPES),
                  "parents": sorted(R.sample(ids, min(len(ids), R.randrange(4)))),
                  "thread": "".join(c for c in text() if c.isprintable() or ord(c) > 0x9f)}
        form = canonical(record)
        if "Real" not in repr(record):  # json.dumps itself says the same
            assert form == json.dumps(record, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        ids.append(hashlib.sha256(form.encode()).hexdigest())
        given = dict(record)
        if R.randrange(4) == 0: given["judged_by"] = R.choice([None, text()])
        sys.stdout.write('{"id":"%s","record":%s}\n' % (ids[-1], messy(given)))
main()
