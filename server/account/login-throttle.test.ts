import { expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";
import { ADDRESS_FACTOR, createLoginThrottle } from "./login-throttle.ts";

const PER_MINUTE = 3;

function start() {
  let checks = 0;
  let time = 0;
  const throttle = createLoginThrottle({ perMinute: PER_MINUTE, now: () => time });
  return {
    pass: (ms: number) => void (time += ms),
    get checks() {
      return checks;
    },
    /** Why an attempt failed; undefined: it did not. */
    async attempt(name: string, peer: string, failure?: ErrorReason) {
      try {
        await throttle.attempt(name, peer, async () => {
          checks += 1;
          if (failure !== undefined) throw new DomainError(failure, "no");
        });
        return undefined;
      } catch (error) {
        return (error as DomainError).reason;
      }
    },
  };
}

const { CREDENTIALS_WRONG, TOO_MANY_FAILURES, STORE_UNAVAILABLE } = ErrorReason;

test("an account takes a few wrong passwords a minute, from wherever; then nothing is checked", async () => {
  const login = start();
  for (let i = 0; i < PER_MINUTE; i++) {
    expect(await login.attempt("Ada", `192.0.2.${i}`, CREDENTIALS_WRONG)).toBe(CREDENTIALS_WRONG);
  }
  expect(await login.attempt("ada", "198.51.100.1")).toBe(TOO_MANY_FAILURES);
  expect(login.checks).toBe(PER_MINUTE);
  expect(await login.attempt("bob", "192.0.2.1")).toBeUndefined();
  login.pass(60_000 / PER_MINUTE);
  expect(await login.attempt("ADA", "192.0.2.1")).toBeUndefined();
});

test("an address takes more, whatever the accounts; others go on", async () => {
  const login = start();
  const many = PER_MINUTE * ADDRESS_FACTOR;
  for (let i = 0; i < many; i++) await login.attempt(`name${i}`, "192.0.2.1", CREDENTIALS_WRONG);
  expect(login.checks).toBe(many);
  expect(await login.attempt("ada", "192.0.2.1")).toBe(TOO_MANY_FAILURES);
  expect(await login.attempt("ada", "::ffff:192.0.2.1")).toBe(TOO_MANY_FAILURES);
  // What the address was refused did not count against the account.
  for (let i = 0; i < 10; i++) await login.attempt("ada", "192.0.2.1", CREDENTIALS_WRONG);
  expect(await login.attempt("ada", "192.0.2.2")).toBeUndefined();
});

test("what is no wrong password does not count, however often", async () => {
  const login = start();
  for (let i = 0; i < 100; i++) {
    await login.attempt("ada", "192.0.2.1");
    await login.attempt("ada", "192.0.2.1", STORE_UNAVAILABLE);
  }
  expect(login.checks).toBe(200);
  // An account that has had too many does not use up the address.
  for (let i = 0; i < 100; i++) await login.attempt("ada", "192.0.2.1", CREDENTIALS_WRONG);
  expect(await login.attempt("bob", "192.0.2.1")).toBeUndefined();
});

test("many at once do not slip through", async () => {
  const login = start();
  const attempts = Array.from({ length: 50 }, () =>
    login.attempt("ada", "192.0.2.1", CREDENTIALS_WRONG),
  );
  const outcomes = await Promise.all(attempts);
  expect(outcomes.filter((outcome) => outcome === CREDENTIALS_WRONG)).toHaveLength(PER_MINUTE);
});
