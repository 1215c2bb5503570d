import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { makeCertificate, MAX_DAYS } from "./make-certificate.ts";

/** How long a certificate for development is good for, unless it is said otherwise. */
const DEFAULT_DAYS = 90;
/** Characters of a host name at most (RFC 1035, 2.3.4). */
const MAX_NAME_LENGTH = 253;

interface Options {
  readonly dir: string;
  readonly host: readonly string[];
  readonly days: string;
  readonly force?: true;
}

async function main(): Promise<void> {
  const options = new Command("dev-cert")
    .description("Makes a certificate for TLS while developing, which vouches for itself.")
    .usage("[options]   (with npm: npm run dev-cert -- [options])")
    .option("--dir <folder>", "where cert.pem and key.pem go", "data/tls")
    .option("--host <names...>", "names and IP addresses besides those of this machine", [])
    .option("--days <number>", `how long it is good for, at most ${MAX_DAYS}`, `${DEFAULT_DAYS}`)
    .option("--force", "replace the one that is there")
    .helpOption("-h, --help", "print this help")
    .allowExcessArguments(false)
    .parse()
    .opts<Options>();
  if (!/^\d{1,3}$/.test(options.days) || +options.days < 1 || +options.days > MAX_DAYS) {
    return fail(`--days "${options.days}": must be a whole number from 1 to ${MAX_DAYS}`);
  }
  const wrong = options.host.find((name) => !isHostName(name) && !isAddress(name));
  if (wrong !== undefined) return fail(`--host "${wrong}": must be a host name or an IP address`);
  const certFile = join(options.dir, "cert.pem");
  const keyFile = join(options.dir, "key.pem");
  const existing = [certFile, keyFile].find((file) => existsSync(file));
  if (existing !== undefined && !options.force) {
    return fail(`${existing} is there already: --force replaces it`);
  }

  const names = [...new Set([...ownNames(), ...options.host])];
  const { cert, key } = await makeCertificate({ names, days: Number(options.days) });
  await mkdir(options.dir, { recursive: true });
  // The server reads both when one has changed and has then stayed as it is for a moment.
  await replace(keyFile, key, 0o600);
  await replace(certFile, cert, 0o644);
  process.stdout.write(describe({ names, days: Number(options.days), certFile, keyFile }));
}

/** What this machine is called by itself and by others in its networks. */
function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
    // Those that hold for one cable only are of no use without its name.
    .filter((address) => isAddress(address) && !address.startsWith("fe80:"));
  const own = [hostname()].filter(isHostName);
  return ["localhost", "127.0.0.1", "::1", ...own, ...addresses];
}

/** Whether it is a name as certificates know them, also for all names below another, such as `*.example.org`. */
function isHostName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && /^(?:\*\.)?\w[\w-]*(?:\.\w[\w-]*)*$/.test(name);
}

/** Whether it is an IP address, without the name of a cable, which certificates do not know. */
function isAddress(name: string): boolean {
  return isIP(name) !== 0 && !name.includes("%");
}

/** Nobody sees half a file, nor a secret one in between with the rights of others. */
async function replace(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.new`;
  await rm(draft, { force: true });
  await writeFile(draft, text, { mode, flag: "wx" });
  await rename(draft, file);
}

function describe(made: {
  readonly names: readonly string[];
  readonly days: number;
  readonly certFile: string;
  readonly keyFile: string;
}): string {
  const cert = quoted(made.certFile);
  const call = "https://localhost:8080/realmwire.v1.WorldService/Version";
  return `Made a certificate that is good for ${made.days} days, for
  ${made.names.join(", ")}

  ${made.certFile}  is for the server, and for clients to trust
  ${made.keyFile}  is for the server alone: whoever has it can pretend to be it

Start the server with it:

  npm start -- --tls-cert ${cert} --tls-key ${quoted(made.keyFile)}

Clients have to be told to trust it:

  npx buf curl --cacert ${cert} ${call}
  curl --cacert ${cert} https://localhost:8080/healthz
  grpcurl -cacert ${cert} localhost:8080 list
  NODE_EXTRA_CA_CERTS=${cert} node walk.ts
`;
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

function fail(message: string): void {
  process.stderr.write(`dev-cert: ${message}\n`);
  process.exitCode = 2;
}

await main();
