import { Monitor } from "./monitor.js";

new Monitor().start();
