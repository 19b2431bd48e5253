extension PageFiles {
    /// The page's script: what the jails say is put into the page as text, and never as anything else.
    static let scriptText = #"""
        "use strict";
        const page = document.body.dataset;
        const decides = page.decides === "true";
        const byId = (id) => document.getElementById(id);

        // Characters that nobody sees, or that change how the others are shown, are written out.
        const hidden = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
        const visible = (text) =>
          String(text ?? "").replace(hidden, (mark) => "\\u{" + mark.codePointAt(0).toString(16) + "}");

        function element(tag, text, name) {
          const made = document.createElement(tag);
          if (text !== undefined) made.textContent = visible(text);
          if (name) made.className = name;
          return made;
        }

        // A list's items stay the same elements for as long as there is the same thing to show: what somebody types stays.
        const lists = new Map();
        function show(id, items, key, make, update) {
          const list = byId(id);
          const known = lists.get(id) ?? new Map();
          const next = new Map();
          for (const item of items) {
            let made = known.get(key(item));
            if (!made) made = make(item);
            if (update) update(made, item);
            next.set(key(item), made);
          }
          for (const [name, old] of known) {
            if (next.has(name)) continue;
            if (old.contains(document.activeElement)) byId("waiting").focus();
            old.remove();
          }
          let place = list.firstChild;
          for (const made of next.values()) {
            if (made === place) place = place.nextSibling; else list.insertBefore(made, place);
          }
          lists.set(id, next);
          byId("no-" + id).hidden = items.length > 0;
        }

        function details(pairs) {
          const list = element("dl");
          for (const [name, value] of pairs) {
            if (value === undefined || value === null || value === "") continue;
            list.append(element("dt", name), element("dd", value));
          }
          return list;
        }

        const time = (milliseconds) => new Date(milliseconds).toLocaleTimeString();
        const seconds = (milliseconds) => Math.max(0, Math.ceil(milliseconds / 1000)) + " s";

        // MARK: What is said to the server

        function tell(text, isBad) {
          const line = byId("result");
          line.hidden = false;
          line.className = isBad ? "bar bad" : "bar good";
          line.textContent = visible(text);
        }

        async function send(place, fields) {
          try {
            const answer = await fetch(place, {
              method: "POST",
              headers: { "Content-Type": "application/x-www-form-urlencoded" },
              body: new URLSearchParams({ ...fields, proof: page.proof }),
            });
            if (answer.status === 401) return location.assign("/login");
            const said = await answer.json();
            tell(said.error ?? said.text, !answer.ok);
          } catch {
            tell("It is not known whether that was heard: there is no connection.", true);
          }
        }

        function button(text, name, action) {
          const made = element("button", text, name);
          made.type = "button";
          made.addEventListener("click", async () => {
            made.disabled = true;
            await action();
            made.disabled = false;
          });
          return made;
        }

        function field(label, name, value, type) {
          const frame = element("label", label);
          const input = document.createElement("input");
          input.name = name;
          input.value = value;
          input.type = type ?? "text";
          input.autocomplete = "off";
          frame.append(input);
          return [frame, input];
        }

        // MARK: The queue

        const places = [
          ["profile", "Profile"], ["program", "Program"], ["arguments", "Arguments"], ["host", "Host"],
          ["port", "Port"], ["method", "Method"], ["path", "Path"], ["changes", "Changes"], ["place", "Runs"],
        ];
        const shown = (value) => Array.isArray(value) ? JSON.stringify(value) : value;

        function entry(item) {
          const made = element("li", undefined, "card");
          made.setAttribute("aria-label", visible(item.jail + ": " + item.subject));
          made.dataset.jail = item.jail;
          made.dataset.id = item.id;
          const before = (item.before ?? []).map((old) =>
            (old.approved ? "approved" : "denied") + " by " + old.by.join(" and ") + " at " + time(old.time)).join("; ");
          const left = element("span", "", "left");
          left.setAttribute("role", "timer");
          left.setAttribute("aria-live", "off");
          const title = element("h3", item.subject);
          made.append(title, details([
            ["Jail", item.jail], ["A session of", item.jail.includes("/") ? item.jail.split("/")[0] : ""], ...places.map(([name, label]) => [label, shown(item[name])]),
            ["Why it asks", item.why], ["A yes means", item.meaning], ["Decided before", before || "never"],
            ["Needs two", item.fourEyes ? "yes" : ""],
          ]));
          const state = element("p", "", "quiet state");
          state.append(left, element("span", "", "more"));
          made.append(state);
          if (decides) made.append(controls(item));
          return made;
        }

        function controls(item) {
          const made = element("fieldset");
          made.append(element("legend", "Decide"));
          const [reasonLabel, reason] = field("Reason (it is written down) ", "reason", "");
          reason.maxLength = 200;
          const [timeLabel, span] = field("time ", "time", "5m");
          const [usesLabel, uses] = field("times ", "uses", "3", "number");
          uses.min = 1;
          uses.max = 1000;
          const decide = (decision, more) => send("/decide",
            { jail: item.jail, id: item.id, decision, reason: reason.value, ...more });
          const row = (...parts) => { const line = element("p", undefined, "buttons"); line.append(...parts); return line; };
          const choices = element("div", undefined, "choices");
          choices.append(
            row(button("Deny", "deny", () => decide("deny", {}))),
            row(button("Approve once", "once", () => decide("approve", { how: "once" }))),
            row(button("Approve until the jail ends", "end", () => decide("approve", { how: "end" }))),
            row(button("Approve for a time", "for", () => decide("approve", { how: "time", time: span.value })), timeLabel),
            row(button("Approve a number", "number", () => decide("approve", { how: "uses", uses: uses.value })), usesLabel));
          made.append(reasonLabel, choices);
          return made;
        }

        function updateEntry(made, item) {
          made.querySelector(".left").textContent = seconds(item.left) + " left";
          const more = [];
          if (item.waiting > 1) more.push(item.waiting + " wait for it");
          if (item.count > item.waiting) more.push("asked " + item.count + " times");
          if (item.endorsedBy) more.push("approved " + item.endorsed + " by " + item.endorsedBy + ", needs one more");
          made.querySelector(".more").textContent = visible(more.length ? "; " + more.join("; ") : "");
        }

        function grant(item) {
          const made = element("li", undefined, "card");
          made.append(element("h3", item.subject), details([
            ["Jail", item.jail], ["Extent", item.terms], ["By", item.by.join(" and ")], ["Reason", item.reason],
          ]), element("p", "", "quiet state"));
          if (decides) {
            const line = element("p", undefined, "buttons");
            const take = button("Revoke", "revoke", () => send("/decide", { jail: item.jail, id: item.id, decision: "revoke" }));
            take.setAttribute("aria-label", visible("Revoke " + item.subject));
            line.append(take);
            made.append(line);
          }
          return made;
        }

        function updateGrant(made, item) {
          const parts = ["used " + item.used + " times"];
          if (item.usesLeft !== null) parts.push(item.usesLeft + " left");
          if (item.left !== null) parts.push("ends in " + seconds(item.left));
          made.querySelector(".state").textContent = parts.join("; ");
        }

        function takeQueue(told) {
          if (told.error) return tell(told.error, true);
          show("entries", told.entries, (item) => item.jail + " " + item.id, entry, updateEntry);
          show("grants", told.grants, (item) => item.jail + " " + item.id, grant, updateGrant);
          byId("count").textContent = told.entries.length ? "(" + told.entries.length + ")" : "";
          document.title = (told.entries.length ? "(" + told.entries.length + ") " : "") + "Jails – clawjail";
        }

        // MARK: Jails

        function jail(item) {
          const made = element("li", undefined, "card");
          made.append(element("h3", item.name), element("div"));
          return made;
        }

        function updateJail(made, item) {
          made.lastChild.replaceWith(details([
            ["State", item.condition], ["Profile", item.profile], ["Command", item.command], ["Up", item.up],
            ["Memory", item.memory], ["Processes", item.processes], ["Processor", item.processor],
            ["Requests, last minute", item.requests], ["Denied, last minute", item.denials], ["Published", item.published.join(", ")],
          ]));
        }

        function told(item) {
          const made = element("li", undefined, "card " + item.weight);
          made.append(element("p", time(item.time) + "  " + item.jail + ": " + item.text));
          if (!item.remedy) return made;
          const more = element("details");
          const rule = document.createElement("textarea");
          rule.readOnly = true;
          rule.rows = 2;
          rule.value = visible(item.remedy);
          rule.setAttribute("aria-label", "The smallest rule that allows this");
          more.append(element("summary", "Allow this …"),
            element("p", "In the profile of '" + item.jail + "', and nothing more than this:"), rule);
          if (navigator.clipboard) {
            more.append(button("Copy", "copy", async () => {
              await navigator.clipboard.writeText(rule.value);
              tell("copied", false);
            }));
          }
          made.append(more);
          return made;
        }

        function takeJails(said) {
          if (said.error) return tell(said.error, true);
          show("jails", said.jails, (item) => item.name, jail, updateJail);
          show("denials", said.denials, (item) => item.jail + item.time + item.text, told);
          show("alerts", said.alerts, (item) => item.jail + item.time + item.text, told);
          const choice = byId("lockdown-jail");
          if (!choice || byId("sure").open) return;
          const options = [["", "choose"], ...(said.all ? [["*", "every jail"]] : []), ...said.jails.map((item) => [item.name, item.name])];
          choice.replaceChildren(...options.map(([value, text]) => {
            const option = element("option", text);
            option.value = value;
            return option;
          }));
        }

        const lockdown = byId("lockdown");
        if (lockdown) {
          const dialog = byId("sure");
          lockdown.addEventListener("click", () => dialog.showModal());
          byId("lockdown-no").addEventListener("click", () => dialog.close());
          byId("lockdown-form").addEventListener("submit", (event) => {
            event.preventDefault();
            dialog.close();
            send("/lockdown", { jail: byId("lockdown-jail").value, reason: byId("lockdown-reason").value });
          });
        }

        // MARK: Live

        const events = new EventSource("/events");
        const connection = byId("connection");
        function connected(isLive, text) {
          connection.textContent = text;
          connection.className = isLive ? "bar good" : "bar bad";
          document.body.classList.toggle("stale", !isLive);
        }
        events.addEventListener("open", () => connected(true, "live"));
        events.addEventListener("error", () => {
          if (events.readyState === EventSource.CLOSED) {
            connected(false, "The connection has ended: load the page again, or log in again.");
          } else {
            connected(false, "There is no connection: what is shown here may be over. It is tried again.");
          }
        });
        events.addEventListener("queue", (event) => takeQueue(JSON.parse(event.data)));
        events.addEventListener("jails", (event) => takeJails(JSON.parse(event.data)));
        events.addEventListener("over", () => { events.close(); location.assign("/login"); });

        """#
}
