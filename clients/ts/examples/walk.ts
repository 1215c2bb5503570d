// Logs in (or registers), prints who is around, walks a few steps, says hello and leaves.
//
//   node clients/ts/examples/walk.ts http://localhost:8080 <name> <password>
/* oxlint-disable no-console -- a program for the command line */
import { createRealmwire, ErrorReason, MoveRefusal, RealmwireError } from "../index.ts";
import type { Realmwire, Session } from "../index.ts";

/** Room to take a step in, in milliseconds: characters walk several tiles a second. */
const STEP_MS = 400;
/** East, south, west, north: where the way is blocked, the next one is tried. */
const DIRECTIONS = [
  { x: 1, y: 0 },
  { x: 0, y: 1 },
  { x: -1, y: 0 },
  { x: 0, y: -1 },
];
const STEPS = 5;

const [baseUrl, name, password] = process.argv.slice(2);
if (baseUrl === undefined || name === undefined || password === undefined) {
  console.error("usage: node clients/ts/examples/walk.ts <base url> <name> <password>");
  process.exit(2);
}

const client = createRealmwire({ baseUrl });
try {
  const version = await client.version();
  console.log(`${version.game} on server ${version.server}, protocol ${version.protocol}`);
  const session = await loginOrRegister(client, name, password);
  console.log(`logged in as ${session.account.name}, playing ${session.character}`);
  await play(client);
  await client.logout();
  console.log("left");
} catch (error) {
  console.error(error instanceof RealmwireError ? `error: ${error.message}` : error);
  process.exitCode = 1;
} finally {
  client.close();
}

async function loginOrRegister(
  client: Realmwire,
  name: string,
  password: string,
): Promise<Session> {
  try {
    return await client.login(name, password);
  } catch (error) {
    const reason = error instanceof RealmwireError ? error.reason : undefined;
    if (reason !== ErrorReason.CREDENTIALS_WRONG) throw error;
    // Fails with NAME_TAKEN where the account exists and the password was wrong.
    return client.register(name, password);
  }
}

async function play(client: Realmwire): Promise<void> {
  const world = client.connect();
  world.onState((state) => console.log(`stream: ${state.kind}`));
  world.view.onEvent((event) => {
    if (event.case === "chat") console.log(`${event.value.from}: ${event.value.text}`);
    if (event.case === "notice") console.log(`* ${event.value}`);
  });
  await world.ready();
  console.log(`in ${world.view.scene?.zone}, tick ${world.view.tick}; around me:`);
  for (const { name, visual, position } of world.view.entities.values()) {
    console.log(`  ${name} (${visual}) at ${position.x.toFixed(2)}, ${position.y.toFixed(2)}`);
  }
  await walk(client);
  await client.say("hello");
  await pause(STEP_MS);
  const { position } = world.view.self ?? {};
  console.log(`the view has me at ${position?.x.toFixed(2)}, ${position?.y.toFixed(2)}`);
}

async function walk(client: Realmwire): Promise<void> {
  let facing = 0;
  for (let step = 0; step < STEPS; step++) {
    const { moved, position, refusal } = await client.move.by(
      DIRECTIONS[facing % DIRECTIONS.length] ?? { x: 0, y: 0 },
    );
    const outcome = moved ? "moved" : `refused (${nameOf(refusal)})`;
    console.log(`${outcome}, at ${position.x.toFixed(2)}, ${position.y.toFixed(2)}`);
    if (!moved && refusal !== MoveRefusal.TOO_FAST) facing++;
    await pause(STEP_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function nameOf(refusal: MoveRefusal): string {
  return Object.entries(MoveRefusal).find(([, value]) => value === refusal)?.[0] ?? `${refusal}`;
}
