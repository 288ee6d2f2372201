// couponmock with Node, and nothing installed: fetch and the built-in test runner.
//
// Run `couponmock serve`, then `node --test node_recipe.mjs`, with COUPONMOCK_URL set if it is not at
// http://127.0.0.1:8642. Every test has a world of its own, so they may run side by side.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";

const server = process.env.COUPONMOCK_URL ?? "http://127.0.0.1:8642";

const json = (method, body) => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

let name;
let baseUrl;
let authorization;

beforeEach(async () => {
  name = `node-${randomUUID()}`;
  // The only thing a client has to be told: this in place of the vendor's host.
  baseUrl = `${server}/~${name}`;
  const made = await fetch(`${server}/__admin/namespaces`, json("POST", { name, pack: "documented" }));
  assert.equal(made.status, 201);
  // The world tells its credentials and all its other seeded values.
  const { bindings } = await (await fetch(`${server}/__admin/namespaces/${name}/bindings`)).json();
  const { secret } = bindings.chargeover["credential.main"];
  authorization = `Basic ${Buffer.from(secret).toString("base64")}`;
});

afterEach(async () => {
  const dropped = await fetch(`${server}/__admin/namespaces/${name}`, { method: "DELETE" });
  assert.equal(dropped.status, 204);
});

test("a coupon is read", async () => {
  const answer = await fetch(`${baseUrl}/api/v3/coupon/1`, { headers: { authorization } });
  assert.equal(answer.status, 200);
  const { response } = await answer.json();
  assert.equal(response.code, "ABC123");
});

test("a credential is needed, and the journal says what was missing", async () => {
  const answer = await fetch(`${baseUrl}/api/v3/coupon/1`);
  assert.equal(answer.status, 401);
  const { requests } = await (await fetch(`${baseUrl}/__admin/requests?operation=getCoupon`)).json();
  assert.deepEqual(requests.map((entry) => entry.example), ["missing_authorization"]);
});

test("what was asked is verified", async () => {
  const headers = { authorization, Prefer: "code=503" };
  assert.equal((await fetch(`${baseUrl}/api/v3/coupon/1`, { headers })).status, 503);
  const expected = { operationId: "getCoupon", count: 1, match: { status: 503 } };
  const verified = await fetch(`${baseUrl}/__admin/verify`, json("POST", expected));
  assert.equal(verified.status, 200, (await verified.json()).detail);
});
