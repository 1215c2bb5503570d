import { PROTOCOLS } from "../support/server.ts";
import { describeCalls } from "./calls/suite.ts";

describeCalls({ threads: "2", way: "short", protocols: PROTOCOLS });
