// The control page: shows the sandbox's state every second and sends what is clicked to the control API.

const part = (id) => document.getElementById(id);

async function send(method, path, body) {
  const answer = await fetch(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  part("refused").textContent = answer.ok ? "" : (await answer.json()).message;
  await refresh();
}

function element(tag, ...content) {
  const made = document.createElement(tag);
  made.append(...content);
  return made;
}

function link(url) {
  return Object.assign(element("a", url), { href: url });
}

function describe({ name, crm, store, at, left }) {
  return `${name} for ${crm ?? "every crm"} ${store ?? "every store"}, ${at.join(", ") || "every answer"}, ${left ?? "until cleared"}`;
}

async function refresh() {
  const state = await (await fetch("/state")).json();
  part("now").textContent = state.clock.now;
  part("clock-mode").textContent = state.clock.stands_still ? "standing still" : "running";
  part("codes").replaceChildren(...Object.entries(state.codes).map(([account, code]) => element("li", `${account}: ${code}`)));
  part("faults").replaceChildren(...state.faults.map((fault) => element("li", describe(fault))));
  part("log").textContent = JSON.stringify(state.log, null, 2);
  return state;
}

const state = await refresh();
part("urls").append(...Object.entries(state.urls).map(([origin, url]) => element("li", `${origin} `, link(url))));
part("logins").append(
  ...state.logins.map(({ account, user, password, authenticator, opens }) =>
    element("tr", element("td", account), element("td", user), element("td", password), element("td", authenticator), element("td", link(opens)))),
);
part("fault").append(...Object.entries(state.known_faults).map(([name, does]) => Object.assign(element("option", name), { value: name, title: does })));
part("store").append(element("option", "every store"), ...state.logins.map(({ account }) => element("option", account)));
part("set").onclick = () => send("POST", "/clock", { set: part("moment").value });
part("hour").onclick = () => send("POST", "/clock", { advance_seconds: 3600 });
part("day").onclick = () => send("POST", "/clock", { advance_seconds: 86400 });
part("run").onclick = () => send("POST", "/clock", { run: true });
part("clear").onclick = () => send("DELETE", "/faults");
part("switch-on").onclick = () => {
  const [crm, store] = part("store").value.includes("/") ? part("store").value.split("/") : [];
  send("POST", "/faults", { name: part("fault").value, crm, store, times: Number(part("times").value) || undefined });
};
setInterval(refresh, 1000);
