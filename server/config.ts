import { resolve } from "node:path";
import { Command, Option } from "commander";
import { z } from "zod";
import { LIMIT_SETTINGS } from "./limit-settings.ts";
import { decimal, names, origins, type Setting, whole } from "./setting-rules.ts";

/** Threads for zones at most: each loads the game, and more than there are cores help nobody. */
export const MAX_THREADS = 64;

/** Every setting: its flag, its environment variable, what it means, its default and its rule. */
const SETTINGS = {
  host: {
    flag: "--host <address>",
    env: "REALMWIRE_HOST",
    help: "the address to listen at",
    default: "0.0.0.0",
    rule: z.string().min(1),
  },
  port: {
    flag: "--port <number>",
    env: "PORT",
    help: "the port; 0 takes any free one",
    default: "8080",
    rule: whole(0, 65_535),
  },
  tlsCert: {
    flag: "--tls-cert <file>",
    env: "REALMWIRE_TLS_CERT",
    help: "the certificate for TLS in PEM, with those of its issuers; read anew when it changes; default: none",
    default: "",
    rule: z.string(),
  },
  tlsKey: {
    flag: "--tls-key <file>",
    env: "REALMWIRE_TLS_KEY",
    help: "the private key of the certificate in PEM, without a passphrase; default: none",
    default: "",
    rule: z.string(),
  },
  plaintext: {
    flag: "--plaintext <allow|refuse>",
    env: "REALMWIRE_PLAINTEXT",
    help: "connections without TLS; default: refuse with a certificate, else allow; production has to say it",
    default: "",
    rule: z.enum(["", "allow", "refuse"]),
  },
  metricsPort: {
    flag: "--metrics-port <number>",
    env: "REALMWIRE_METRICS_PORT",
    help: "a port of its own for /metrics, for Prometheus; 0 takes any free one; default: none",
    default: "",
    rule: z.union([z.literal("").transform(() => undefined), whole(0, 65_535)]),
  },
  metricsHost: {
    flag: "--metrics-host <address>",
    env: "REALMWIRE_METRICS_HOST",
    help: "the address for /metrics; whoever reaches it can read them",
    default: "127.0.0.1",
    rule: z.string().min(1),
  },
  game: {
    flag: "--game <folder>",
    env: "REALMWIRE_GAME",
    help: "the folder of the game, with its game.ts",
    default: "games/meadow",
    rule: z.string().min(1),
  },
  data: {
    flag: "--data <folder>",
    env: "REALMWIRE_DATA",
    help: "where the embedded database and the client releases are kept",
    default: "data",
    rule: z.string().min(1),
  },
  databaseUrl: {
    flag: "--database-url <url>",
    env: "DATABASE_URL",
    help: "a PostgreSQL database instead of the embedded one; default: none",
    default: "",
    secret: true,
    rule: z
      .string()
      .refine(
        (url) => url === "" || (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)),
        "must be a URL that begins with postgres:// or postgresql://",
      ),
  },
  natsUrl: {
    flag: "--nats-url <url>",
    env: "NATS_URL",
    help: "a NATS server for many nodes; not in this release; default: none",
    default: "",
    rule: z.literal("", { error: "this release runs on one node only: leave it unset" }),
  },
  clients: {
    flag: "--clients <folder>",
    env: "REALMWIRE_CLIENTS",
    help: "the folder of client releases; default: clients in the data folder",
    default: "",
    rule: z.string(),
  },
  corsOrigins: {
    flag: "--cors-origins <list>",
    env: "REALMWIRE_CORS_ORIGINS",
    help: "web origins that may call, separated by commas; * allows all",
    default: "*",
    mayBeEmpty: true,
    rule: origins,
  },
  ...LIMIT_SETTINGS,
  logLevel: {
    flag: "--log-level <level>",
    env: "REALMWIRE_LOG_LEVEL",
    help: "trace, debug, info, warn, error or silent",
    default: "info",
    rule: z.enum(["trace", "debug", "info", "warn", "error", "silent"]),
  },
  logFormat: {
    flag: "--log-format <format>",
    env: "REALMWIRE_LOG_FORMAT",
    help: "text for people, json for machines; default: text on a terminal",
    default: "",
    rule: z.enum(["", "text", "json"]),
  },
  admins: {
    flag: "--admins <list>",
    env: "REALMWIRE_ADMINS",
    help: "names of accounts that are admins, separated by commas; default: none",
    default: "",
    rule: names,
  },
  builders: {
    flag: "--builders <list>",
    env: "REALMWIRE_BUILDERS",
    help: "names of accounts that are builders, separated by commas; default: none",
    default: "",
    rule: names,
  },
  devPassword: {
    flag: "--dev-password <password>",
    env: "REALMWIRE_DEV_PASSWORD",
    help: "the password of the ready-made accounts; default: a new one each, printed once",
    default: "",
    secret: true,
    rule: z
      .string()
      .refine(
        (password) => password === "" || (password.length >= 8 && password.length <= 128),
        "must have 8 to 128 characters",
      ),
  },
  seed: {
    flag: "--seed <text>",
    env: "REALMWIRE_SEED",
    help: "what chance in the world begins from",
    default: "realmwire",
    rule: z.string().min(1).max(256),
  },
  sessionDays: {
    flag: "--session-days <days>",
    env: "REALMWIRE_SESSION_DAYS",
    help: "how long a login lasts unless it is used, in days",
    default: "30",
    rule: decimal.pipe(z.number().min(0.001).max(3650)),
  },
  lingerMs: {
    flag: "--linger-ms <ms>",
    env: "REALMWIRE_LINGER_MS",
    help: "how long a character stays after its connection was lost, in milliseconds",
    default: "5000",
    rule: whole(0, 600_000),
  },
  threads: {
    flag: "--threads <number>",
    env: "REALMWIRE_THREADS",
    help: "threads that zones are spread over, at most 64; 0: zones run in the main thread, beside the port",
    default: "0",
    rule: whole(0, MAX_THREADS),
  },
  drainMs: {
    flag: "--drain-ms <ms>",
    env: "REALMWIRE_DRAIN_MS",
    help: "how long players are warned before the server stops, in milliseconds",
    default: "1000",
    rule: whole(0, 600_000),
  },
  storeTimeoutMs: {
    flag: "--store-timeout-ms <ms>",
    env: "REALMWIRE_STORE_TIMEOUT_MS",
    help: "how long the database may take to answer, in milliseconds",
    default: "5000",
    rule: whole(100, 600_000),
  },
} as const satisfies Record<string, Setting>;

type Settings = typeof SETTINGS;

/** Settings, each checked by itself. */
type Values = { readonly [K in keyof Settings]: z.output<Settings[K]["rule"]> } & {
  /** Whether this is production: then there are no ready-made accounts. From `NODE_ENV`. */
  readonly production: boolean;
};

/** The settings of a server, checked. Paths are absolute. */
export type Config = Omit<Values, "tlsCert" | "tlsKey" | "plaintext"> & {
  /** The files of the certificate. Undefined: no TLS. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Whether connections without TLS are taken. */
  readonly plaintext: boolean;
};

/** Settings that cannot be used; the message names each with its flag, its variable and the rule that it breaks. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** The command line, for `--help`, flags and their environment variables. */
export function createCommand(version: string): Command {
  const command = new Command("realmwire")
    .description(
      "A game server whose protocol comes first: a persistent, streaming world that many players share.",
    )
    .usage("[options]   (with npm: npm start -- [options])")
    .version(version, "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .allowExcessArguments(false);
  for (const setting of Object.values(SETTINGS)) {
    const option = new Option(setting.flag, setting.help).env(setting.env);
    if (setting.default !== "") option.default(setting.default);
    command.addOption(option);
  }
  return command.addHelpText(
    "after",
    "\nEach option can also be given by the environment variable beside it; an option wins over its variable.\n" +
      "NODE_ENV=production: no ready-made accounts, and no plaintext unless it is asked for.",
  );
}

/** Reads the settings from what {@link createCommand} parsed. Throws {@link ConfigError}. */
export function readConfig(
  options: Readonly<Record<string, string | undefined>>,
  env: NodeJS.ProcessEnv,
): Config {
  const values: Record<string, unknown> = { production: env["NODE_ENV"] === "production" };
  const problems: string[] = [];
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const given = options[name];
    const isUnset = given === undefined || (given === "" && !setting.mayBeEmpty);
    const parsed = setting.rule.safeParse(isUnset ? setting.default : given);
    if (parsed.success) {
      values[name] = parsed.data;
    } else {
      const [flag] = setting.flag.split(" ");
      const why = parsed.error.issues.map(({ message }) => message).join("; ");
      const what = setting.secret ? "" : ` "${given}"`;
      problems.push(`${flag} (${setting.env})${what}: ${why}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  const { tlsCert, tlsKey, plaintext, ...config } = values as unknown as Values;
  const data = resolve(config.data);
  const clients = config.clients === "" ? resolve(data, "clients") : resolve(config.clients);
  const entrance = readEntrance({ tlsCert, tlsKey, plaintext, production: config.production });
  return { ...config, ...entrance, data, clients, game: resolve(config.game) };
}

/** What may come in at the port: these settings make sense only together. */
function readEntrance({
  tlsCert,
  tlsKey,
  plaintext,
  production,
}: Pick<Values, "tlsCert" | "tlsKey" | "plaintext" | "production">): Pick<
  Config,
  "tls" | "plaintext"
> {
  if ((tlsCert === "") !== (tlsKey === "")) {
    const [given, missing] = tlsCert === "" ? [TLS_KEY, TLS_CERT] : [TLS_CERT, TLS_KEY];
    throw new ConfigError(`${missing}: is needed too, since ${given} is given`);
  }
  if (tlsCert !== "") {
    const tls = { certFile: resolve(tlsCert), keyFile: resolve(tlsKey) };
    return { tls, plaintext: plaintext === "allow" };
  }
  if (plaintext === "refuse") {
    throw new ConfigError(
      `${PLAINTEXT} "refuse": nobody could connect; TLS needs ${TLS_CERT} and ${TLS_KEY}`,
    );
  }
  if (production && plaintext === "") {
    throw new ConfigError(
      `${TLS_CERT} and ${TLS_KEY} are needed in production (NODE_ENV): without TLS, passwords can be read on their way.\n` +
        `Behind a proxy that ends TLS, ask for plaintext: ${PLAINTEXT} allow`,
    );
  }
  return { tls: undefined, plaintext: true };
}

const TLS_CERT = "--tls-cert (REALMWIRE_TLS_CERT)";
const TLS_KEY = "--tls-key (REALMWIRE_TLS_KEY)";
const PLAINTEXT = "--plaintext (REALMWIRE_PLAINTEXT)";
