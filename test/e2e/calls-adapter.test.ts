import { PROTOCOLS } from "../support/server.ts";
import { describeCalls } from "./calls/suite.ts";

describeCalls({ threads: "0", way: "adapter", protocols: PROTOCOLS });
