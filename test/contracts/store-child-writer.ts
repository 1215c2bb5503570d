/** Writes into the folder that it is given until it is killed, and prints the name of all that was acknowledged. */
import { writeSync } from "node:fs";
import { createPgliteStore } from "../../server/store/pglite-store.ts";
import { account, character, edit, object, registry, vectorComponent } from "./store-samples.ts";

const store = createPgliteStore({ dataDir: process.argv[2] ?? "", registry });
await store.start();

const acknowledge = (what: string) => writeSync(1, `${what}\n`);

async function createAccounts(writer: number): Promise<never> {
  for (let i = 0; ; i += 1) {
    const name = `writer${writer}-${i}`;
    await store.createAccount(account(name), character(name));
    acknowledge(`account ${name}`);
  }
}

async function edits(): Promise<never> {
  for (let revision = 1; ; revision += 1) {
    await store.appendEdit(edit("town", revision));
    acknowledge(`edit ${revision}`);
  }
}

async function saves(): Promise<never> {
  for (let i = 1; ; i += 1) {
    const objects = Array.from({ length: 200 }, (_, n) =>
      object("town", `thing-${n}`, [vectorComponent(i)]),
    );
    await store.save({ characters: [], objects });
    acknowledge(`save ${i}`);
  }
}

await Promise.all([createAccounts(1), createAccounts(2), edits(), saves()]);
