// A second verifier of evidence files, written anew from docs/evidence.md: node verify.mjs FILE KEY ...
//
// It checks the manifest, the decision, the checkpoint and the inclusion proof of every row, and
// nothing of what they say of each other: that is what verifier.py is for. It rests on Node alone,
// so that the two share neither code nor a library. Exit codes as verifier.py: 0, 1, 3.

import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

class Wrong extends Error {}

function need(good, what) {
  if (!good) throw new Wrong(what);
}

const sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

// Reads from the end, by the directory, as most programs do; verifier.py reads from the beginning.
function unpack(data) {
  const end = data.length - 22;
  need(end >= 0 && data.readUInt32LE(end) === 0x06054b50, "zip: no end of a directory");
  const members = new Map();
  let place = data.readUInt32LE(end + 16);
  for (let left = data.readUInt16LE(end + 10); left > 0; left -= 1) {
    need(data.readUInt32LE(place) === 0x02014b50, "zip: no entry of a directory");
    need(data.readUInt16LE(place + 10) === 0, "zip: a member is compressed");
    const size = data.readUInt32LE(place + 24);
    const nameSize = data.readUInt16LE(place + 28);
    const name = data.toString("latin1", place + 46, place + 46 + nameSize);
    const local = data.readUInt32LE(place + 42);
    const start = local + 30 + data.readUInt16LE(local + 26) + data.readUInt16LE(local + 28);
    need(!members.has(name), `${name}: there twice`);
    members.set(name, data.subarray(start, start + size));
    place += 46 + nameSize;
  }
  return members;
}

// RFC 8785 is how JSON.stringify writes, with the names in order.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") {
    need(typeof value !== "number" || Number.isSafeInteger(value), "a number is no integer");
    return JSON.stringify(value);
  }
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

function parse(data, where) {
  const text = data.toString("utf8");
  need(Buffer.from(text, "utf8").equals(data), `${where}: not UTF-8`);
  const value = JSON.parse(text);
  need(canonical(value) === text, `${where}: JSON in another form`);
  return value;
}

function decoded(text, alphabet, where) {
  const data = Buffer.from(text, alphabet);
  need(data.toString(alphabet) === text, `${where}: ${alphabet} in another form`);
  return data;
}

function readKeys(members) {
  const keys = new Map();
  for (const { kty, crv, x, kid, signs, revoked_at: revoked } of parse(members.get("keys.json"), "keys.json").keys) {
    const thumbprint = sha256(canonical({ crv, kty, x })).toString("base64url");
    need(kty === "OKP" && crv === "Ed25519" && kid === thumbprint, "keys.json: no thumbprint");
    const key = createPublicKey({ key: { kty, crv, x }, format: "jwk" });
    keys.set(kid, { key, signs, revoked, raw: decoded(x, "base64url", "keys.json") });
  }
  return keys;
}

function openJws(name, typ, members, keys, signers) {
  const parts = members.get(name).toString("latin1").split(".");
  need(parts.length === 3, `${name}: no JWS`);
  const [header, claims, signature] = parts.map((part) => decoded(part, "base64url", name));
  const said = parse(header, name);
  need(Object.keys(said).join() === "alg,kid,typ" && said.typ === typ, `${name}: another header`);
  need(said.alg === "EdDSA" || said.alg === "Ed25519", `${name}: another algorithm`);
  const key = keys.get(said.kid);
  need(key?.signs === "decision", `${name}: no such key`);
  need(verify(null, `${parts[0]}.${parts[1]}`, key.key, signature), `${name}: no good signature`);
  signers.add(said.kid);
  return parse(claims, name);
}

function openCheckpoint(members, keys, signers) {
  const note = members.get("checkpoint").toString("utf8");
  const [origin, size, root, empty, line, last, ...more] = note.split("\n");
  need(empty === "" && last === "" && more.length === 0, "checkpoint: another form");
  const [dash, name, encoded] = line.split(" ");
  need(dash === "\u2014" && name === origin && /^[1-9][0-9]*$/.test(size), "checkpoint: another form");
  const signed = decoded(encoded, "base64", "checkpoint");
  for (const [kid, { key, signs, raw }] of keys) {
    const id = sha256(`${name}\n\u0001`, raw).subarray(0, 4);
    if (signs === "log" && id.equals(signed.subarray(0, 4))) {
      const text = `${origin}\n${size}\n${root}\n`;
      need(verify(null, Buffer.from(text), key, signed.subarray(4)), "checkpoint: no good signature");
      signers.add(kid);
      return { origin, size: BigInt(size), root: decoded(root, "base64", "checkpoint") };
    }
  }
  throw new Wrong("checkpoint: no such key");
}

// RFC 9162, 2.1.1, from above: the tree is split at the largest power of two below its size.
function rootOf(leaf, index, size, proof) {
  if (size === 1n) {
    need(proof.length === 0, "a proof is too long");
    return leaf;
  }
  need(proof.length > 0, "a proof is too short");
  let split = 1n;
  while (split * 2n < size) split *= 2n;
  const rest = proof.slice(0, -1);
  const sibling = proof[proof.length - 1];
  if (index < split) return sha256(Buffer.from([1]), rootOf(leaf, index, split, rest), sibling);
  return sha256(Buffer.from([1]), sibling, rootOf(leaf, index - split, size - split, rest));
}

function checkRow(row, number, subject, head) {
  const where = `rows.json, row ${number}`;
  const said = parse(Buffer.from(row.bytes, "utf8"), where);
  need(said.subject === subject && said.number === number, `${where}: another subject or number`);
  const entry = sha256(decoded(row.salt, "hex", where), row.bytes);
  const leaf = sha256(Buffer.from([0]), entry);
  need(Number.isSafeInteger(row.leaf) && BigInt(row.leaf) < head.size, `${where}: no such leaf`);
  const proof = row.proof.map((one) => decoded(one, "hex", where));
  need(rootOf(leaf, BigInt(row.leaf), head.size, proof).equals(head.root), `${where}: not in the log`);
}

function check(data) {
  const members = unpack(data);
  const keys = readKeys(members);
  const signers = new Set();
  const manifest = openJws("manifest.jws", "countersign-evidence+jwt", members, keys, signers);
  const present = {};
  for (const [name, content] of members) {
    if (name !== "manifest.jws") present[name] = sha256(content).toString("hex");
  }
  need(canonical(present) === canonical(manifest.members), "manifest.jws: other members");
  const head = openCheckpoint(members, keys, signers);
  need(head.origin === manifest.iss, "checkpoint: another log");
  if (members.has("decision.jwt")) {
    const claims = openJws("decision.jwt", "countersign-decision+jwt", members, keys, signers);
    need(claims.iss === manifest.iss && claims.sub === manifest.sub, "decision.jwt: another subject");
    const digest = sha256(canonical(claims.payload ?? null)).toString("hex");
    need(claims.payload === undefined || digest === claims.payload_sha256, "decision.jwt: another payload");
  }
  parse(members.get("rows.json"), "rows.json").forEach((row, index) => {
    checkRow(row, index + 1, manifest.sub, head);
  });
  return [...signers].map((kid) => [kid, keys.get(kid).revoked === null]);
}

const [file, ...named] = process.argv.slice(2);
try {
  const unconfirmed = check(readFileSync(file)).filter(([kid, good]) => !good || !named.includes(kid));
  console.log(unconfirmed.length === 0 ? "proven" : `not confirmed: ${unconfirmed.map(([kid]) => kid)}`);
  process.exitCode = unconfirmed.length === 0 ? 0 : 3;
} catch (error) {
  console.log(`wrong: ${error.message}`);
  process.exitCode = 1;
}
