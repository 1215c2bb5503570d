import { fromBinary } from "@bufbuild/protobuf";
import type { DescMethod, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { Role, RoleSchema } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import type { Authenticator, Session } from "../../account/session.ts";
import { ShownToken } from "../../account/tokens.ts";
import { limitKeyOf } from "../../addresses.ts";
import { DomainError } from "../../errors.ts";
import { createLimiter, type Limiter } from "../../limiter.ts";
import { chain, type MaybePromise } from "../../maybe-promise.ts";
import { type MethodAccess, readAccess } from "./access.ts";
import { messagesOf } from "./ready-stream.ts";
import type { ReadyStream } from "./ready-stream.ts";
import type { EndCall, MessageSink } from "./message-sink.ts";
import type { Call, ReadyHandler, ServiceDefinition, SinkHandler } from "../service.ts";
import type { RequestValidator } from "./validation.ts";

/** What a transport knows about a call besides its message. */
export interface CallContext {
  /** The `authorization` header as it came. */
  readonly authorization: string | undefined;
  /** The token in it, where a transport remembers it from one call to the next. */
  readonly token?: ShownToken | undefined;
  /** The caller's network address. */
  readonly peer: string;
  /** Aborts when the caller goes away, when the deadline passes and when the server stops. */
  readonly signal: AbortSignal;
  /** Names the call in the log and in errors; made when it is asked for, unless the caller gave it. */
  readonly requestId: string;
  /** The `traceparent` header as it came, for traces. */
  readonly traceparent?: string | undefined;
}

/** Answers a call that was let in. */
export type CallHandler = (request: Message, call: Call) => unknown;

/** Opens a stream of serialized answers for a call that was let in. */
export type OpenHandler = (request: Message, call: Call) => Promise<ReadyStream>;

/** Opens the sink of a client stream for a call that was let in. */
export type SinkOpener = (call: Call, end: EndCall) => Promise<MessageSink<Message, unknown>>;

/** All that the pipeline knows about one call of a service. */
export interface Route {
  /** Its full name, such as `realmwire.v1.WorldService/Move`. */
  readonly name: string;
  readonly method: DescMethod;
  readonly access: MethodAccess;
  readonly limiter: Limiter;
  readonly handler: CallHandler;
  /** For calls whose answers are bytes already. */
  readonly open: OpenHandler | undefined;
  /** For client streams. */
  readonly sink: SinkOpener | undefined;
}

/** What decides whether a call is let in. */
export interface Gate {
  readonly authenticator: Authenticator;
  readonly validator: RequestValidator;
}

/** What the routes of a pipeline are made of. */
export interface RouteOptions {
  readonly services: readonly ServiceDefinition[];
  readonly now: () => number;
  readonly maxBuckets?: number | undefined;
}

/** The full name of a call, such as `realmwire.v1.WorldService/Move`. */
export function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** Makes a route for each call. Throws an `Error` that names the call whose `access` is missing or wrong, that comes twice, or that has streams both ways. */
export function buildRoutes(options: RouteOptions): Map<DescMethod, Route> {
  const table = readAccess(options.services.map((service) => service.desc));
  const routes = new Map<DescMethod, Route>();
  const limiterOf = limitersOf(options);
  for (const { desc, handlers } of options.services) {
    for (const method of desc.methods) {
      const name = nameOf(method);
      const access = table.get(method);
      if (access === undefined) throw new Error(`${name} is infrastructure and has no place here`);
      if (routes.has(method)) throw new Error(`${desc.typeName} is registered twice`);
      if (method.methodKind === "bidi_streaming") {
        throw new Error(`${name} has streams both ways, which browsers cannot use`);
      }
      const limiter = limiterOf(access);
      routes.set(method, { name, method, access, limiter, ...partsOf(method, handlers) });
    }
  }
  return routes;
}

/** A limiter for each call that others may share. */
function limitersOf({ now, maxBuckets }: RouteOptions): (access: MethodAccess) => Limiter {
  const limiters = new Map<DescMethod, Limiter>();
  return ({ limitOf, perSecond, burst }) => {
    let limiter = limiters.get(limitOf);
    if (limiter === undefined) {
      const bound = maxBuckets === undefined ? {} : { maxBuckets };
      limiter = createLimiter({ perSecond, burst, now, ...bound });
      limiters.set(limitOf, limiter);
    }
    return limiter;
  };
}

/** How a call is answered, by what its service gave for it. */
function partsOf(
  method: DescMethod,
  handlers: ServiceDefinition["handlers"],
): Pick<Route, "handler" | "open" | "sink"> {
  const none = { handler: unimplemented(nameOf(method)), open: undefined, sink: undefined };
  const given = handlers[method.localName] as
    | CallHandler
    | ReadyHandler<never>
    | SinkHandler<never, never>
    | undefined;
  if (method.methodKind === "client_streaming") {
    const sink = given && "sink" in given ? (given.sink as SinkOpener) : none.handler;
    return { ...none, sink: sink as SinkOpener };
  }
  if (given === undefined) return none;
  if (!("open" in given)) return { ...none, handler: given as CallHandler };
  const open = given.open as OpenHandler;
  return { ...none, open, handler: readMessages(method, open) };
}

/** The handler in messages of a call that answers in bytes. */
function readMessages({ output }: DescMethod, open: OpenHandler): CallHandler {
  return (request, call) =>
    messagesOf(open(request, call), (bytes) => fromBinary(output, bytes), call.signal);
}

function unimplemented(name: string): CallHandler {
  return () => {
    throw new ConnectError(`${name} is not implemented`, Code.Unimplemented);
  };
}

/** Lets a call in: session, role, limit, validation, in this order. Throws or rejects with a `DomainError` that says why not. */
export function admit(
  gate: Gate,
  route: Route,
  request: Message,
  context: CallContext,
): MaybePromise<Call> {
  return chain(admitCaller(gate, route, context, costOf(route, request)), (call) => {
    gate.validator.validate(route.method.input, request);
    return call;
  });
}

/** Lets a caller in, for a call that counts as so many against its limit. Throws or rejects with a `DomainError` that says why not. */
export function admitCaller(
  gate: Gate,
  route: Route,
  context: CallContext,
  cost: number,
): MaybePromise<Call> {
  const session: MaybePromise<Session | undefined> =
    route.access.role === Role.ANONYMOUS
      ? admitAnybody(gate, route, context, cost)
      : admitRole(gate, route, context, cost);
  return chain(session, (found) => new AdmittedCall(found, context));
}

/**
 * Goes on asking, for as long as a call lasts, whether its caller would still be let in: `end` is given the error when its session ends, or
 * no longer has the role that the call needs. Undefined for calls that need no login.
 */
export function watchCaller(
  gate: Gate,
  route: Route,
  { session }: Call,
  end: (error: DomainError) => void,
): { close(): void } | undefined {
  if (session === undefined || route.access.role === Role.ANONYMOUS) return undefined;
  return gate.authenticator.watch(session, (standing) => {
    if (standing.kind === "over") end(standing.error);
    else if (standing.session.role < route.access.role) end(roleTooLow(route));
  });
}

/** Lets a message of a client stream in: limit and validation. Throws a `DomainError` that says why not. */
export function admitMessage(gate: Gate, route: Route, call: Call, message: Message): void {
  takeCalls(route, call.session?.key ?? limitKeyOf(call.peer), costOf(route, message));
  gate.validator.validate(route.method.input, message);
}

/** As how many calls a request counts. A valid one never has more items than the burst. */
function costOf({ access }: Route, request: Message): number {
  if (access.counted === undefined) return 1;
  const items = (request as unknown as Record<string, readonly unknown[]>)[access.counted] ?? [];
  return Math.min(Math.max(1, items.length), access.burst);
}

// A class, since a getter in an object literal is made anew for each call. The signal is asked for only when a handler asks: most never do, and
// making one costs as much as the rest.
class AdmittedCall implements Call {
  readonly session: Session | undefined;
  readonly peer: string;
  private readonly context: CallContext;

  constructor(session: Session | undefined, context: CallContext) {
    this.session = session;
    this.peer = context.peer;
    this.context = context;
  }

  get signal(): AbortSignal {
    return this.context.signal;
  }

  get requestId(): string {
    return this.context.requestId;
  }
}

// The limit comes first: nobody is to make the server look up tokens faster than that.
async function admitAnybody(
  gate: Gate,
  route: Route,
  context: CallContext,
  cost: number,
): Promise<Session | undefined> {
  takeCalls(route, limitKeyOf(context.peer), cost);
  const token = tokenOf(context);
  if (token === undefined) return undefined;
  try {
    return await gate.authenticator.authenticate(token, context.peer);
  } catch (error) {
    // A call that needs no login does not fail for want of one.
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}

function admitRole(
  gate: Gate,
  route: Route,
  context: CallContext,
  cost: number,
): MaybePromise<Session> {
  const token = tokenOf(context);
  if (token === undefined) {
    throw new DomainError(
      ErrorReason.LOGIN_REQUIRED,
      `${route.name} needs a login: send the token that Login answers as "authorization: Bearer <token>"`,
    );
  }
  return chain(gate.authenticator.authenticate(token, context.peer), (session) => {
    if (session.role < route.access.role) throw roleTooLow(route);
    takeCalls(route, session.key, cost);
    return session;
  });
}

function roleTooLow({ name, access }: Route): DomainError {
  const role = RoleSchema.value[access.role]?.name ?? String(access.role);
  return new DomainError(ErrorReason.ROLE_TOO_LOW, `${name} needs ${role}`, { metadata: { role } });
}

function tokenOf({ token, authorization }: CallContext): ShownToken | undefined {
  return token ?? readToken(authorization);
}

/** The token in an `authorization` header; undefined: there is none. */
export function readToken(authorization: string | undefined): ShownToken | undefined {
  if (authorization === undefined) return undefined;
  // The scheme's name may be written in any case (RFC 9110, 11.1).
  const text = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
  return text === undefined ? undefined : new ShownToken(text);
}

function takeCalls(route: Route, caller: string, count: number): void {
  const waitMs = route.limiter.take(caller, count);
  if (waitMs === 0) return;
  const limit = String(route.access.perSecond);
  throw new DomainError(
    ErrorReason.TOO_MANY_CALLS,
    `${nameOf(route.access.limitOf)} may be called ${limit} times a second`,
    { metadata: { limit }, retryDelayMs: waitMs },
  );
}
