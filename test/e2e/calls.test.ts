import { describeCalls } from "./calls/suite.ts";

describeCalls({ threads: "0", way: "short", protocols: ["connect"] });
