// The workspace. Everything works from the server's pages; these modules keep them alive. They know each other in a
// circle, so nothing begins before all of them are there.

import * as list from "./list.js";
import * as ticket from "./ticket.js";
import "./dialog.js";
import "./composer.js";
import "./keyboard.js";
import "./fax.js";
import * as live from "./live.js";

list.start();
ticket.start();
live.start();
