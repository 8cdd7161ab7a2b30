// On every page of the desk, for whoever works tickets. An entry of its own, so that the socket is one module however
// the page and the workspace name it.

import "./socket.js";
import "./notices.js";
