// Writes es_numbers.txt: a number as JSON may have it, a tab, and what ECMAScript writes for it.
// node make_es_numbers.js > es_numbers.txt
'use strict';

let state = 0x5eed1234n;
function next64() { // SplitMix64
  state = (state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn;
  return z ^ (z >> 31n);
}
const below = (n) => Number(next64() % BigInt(n));
function fromBits(bits) {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}
const isReal = (text) => /[.eE]/.test(text);
const lines = [];
function put(text) {
  if (!isReal(text)) text += '.0';
  const value = JSON.parse(text);
  if (!Number.isFinite(value)) throw new Error('overflow: ' + text);
  lines.push(text + '\t' + String(value));
}
function shapes(value) {
  switch (below(5)) {
    case 0: return put(String(value).replace('e+', 'E'));
    case 1: return put(value.toExponential(16));
    case 2: return put(value.toExponential(20));
    case 3: return put(value.toPrecision(17));
    default: return put(value.toExponential(100)); // every digit that it has, or nearly
  }
}

for (const text of [
  '333333333.33333329', '1E30', '4.50', '2e-3', '0.000000000000000000000000001', '1e-27', '5e-324', '4.9e-324',
  '2.4703282292062328e-324', '2.4703282292062327e-324', '1.7976931348623157e308', '1.7976931348623158e308', '1e21',
  '1e20', '1.0e21', '123456789012345678901.0', '999999999999999999999.0', '99999999999999999999.0', '1e-6', '1e-7',
  '0.000001', '0.0000001', '-0.0', '-0e0', '0e400', '0.0e-400', '-1e-400', '1e-400', '1e-99999999999999999999',
  '0e99999999999999999999', '9007199254740993.0', '9007199254740992.0', '9007199254740991.5', '9007199254740993.1',
  '1.0', '1e0', '1E+2', '-1.5e+300', '2.2250738585072014e-308', '2.2250738585072011e-308', '2.225073858507201e-308',
  '1.1754943508222875e-38', '295147905179352830000.0', '9.999999999999999e22', '1e23', '6.02214076e23', '0.1', '0.2',
  '0.30000000000000004', '5e-7', '123e-20', '12345678.9e-3', '1.25', '100e-2', '-10.0', '1000000000000000128.0',
  '1000000000000000000000.0', '999999999999999900000.0', '4.35', '0.5e1', '1.0000000000000002', '-1e-7',
  '44501477170144023e-340', '8.41e21', '9.5367431640625e-7', '0.001', '1e-5',
]) put(text);
// Half-way cases of 2^53 and above, with a digit far behind that decides.
put('9007199254740993.' + '0'.repeat(400) + '1');
put('9007199254740993.' + '0'.repeat(400));
put('0.' + '0'.repeat(323) + '24703282292062327208299999');
put('1' + '0'.repeat(308) + '.0');
put('0.' + '0'.repeat(1000) + '1e1001');
for (let i = 0; i < 1000; ++i) { // any bit pattern
  const value = fromBits(next64());
  if (Number.isFinite(value)) shapes(value);
}
for (let i = 0; i < 100; ++i) shapes(fromBits(next64() & 0x800fffffffffffffn)); // subnormal
for (let e = -324; e <= 308; ++e) put(`${1 + below(9)}${below(2) ? '.' + below(1000) : ''}e${Math.min(e, 307)}`);
for (let i = 0; i < 250; ++i) put(`${below(2) ? '-' : ''}${below(1e9)}.${below(1e6)}`);
for (let i = 0; i < 100; ++i) put(`${9007199254740992n + next64() % 100000000000n}.${below(2) ? 5 : 0}`);
for (let n = 15; n <= 24; ++n) for (const d of ['9', '1', '12345678901234567890123456789']) {
  const digits = d.repeat(30).slice(0, n);
  put(digits + '.0');
  put(digits + '.5');
  put('0.' + '0'.repeat(n - 15) + digits);
}
process.stdout.write(lines.join('\n') + '\n');
