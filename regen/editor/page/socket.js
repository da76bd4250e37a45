// The line to the session. It opens again by itself; a server that is gone is said in the page.

import { byId } from "./dom.js";

export class Line {
  constructor(onMessage) {
    this.onMessage = onMessage;
    this.tries = 0;
    this.open();
  }

  open() {
    const address = new URL("socket", location.href);
    address.protocol = "ws:";
    this.socket = new WebSocket(address);
    this.socket.addEventListener("open", () => {
      this.tries = 0;
      byId("dead").hidden = true;
      document.body.dataset.line = "open";
    });
    this.socket.addEventListener("message", (event) => this.onMessage(JSON.parse(event.data)));
    this.socket.addEventListener("close", () => this.closed());
  }

  closed() {
    document.body.dataset.line = "closed";
    this.tries += 1;
    if (this.tries > 1) byId("dead").hidden = false;
    setTimeout(() => this.open(), Math.min(400 * this.tries, 4000));
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
    else byId("dead").hidden = false;
  }
}
