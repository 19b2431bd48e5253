extension PageFiles {
    static let styleText = """
        :root {
          color-scheme: light dark;
          --ground: #f6f7f9; --card: #ffffff; --text: #16191d; --quiet: #4b5561; --line: #c4cad2;
          --strong: #0b57c2; --on-strong: #ffffff; --bad: #a1131d; --good: #14632d; --danger: #b3131f;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #111417; --card: #1b2026; --text: #eceff2; --quiet: #aab4bf; --line: #414a54;
            --strong: #8ab8ff; --on-strong: #0b1420; --bad: #ff9a9f; --good: #86d79f; --danger: #ff8d94;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0 auto; max-width: 62rem; padding: 0 .75rem 3rem; background: var(--ground); color: var(--text);
          font: 1rem/1.5 system-ui, sans-serif;
        }
        header { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1rem; padding: .5rem 0; }
        header p { margin: 0; flex: 1; color: var(--quiet); }
        h1 { font-size: 1.25rem; margin: 0; }
        h2 { font-size: 1.1rem; margin: 1.5rem 0 .25rem; }
        h3 { font: 600 1rem/1.4 ui-monospace, monospace; margin: 0 0 .5rem; overflow-wrap: anywhere; white-space: pre-wrap; }
        ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem; }
        #jails { grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; }
        .card p { margin: 0 0 .25rem; overflow-wrap: anywhere; }
        .card.bad { border-left: .3rem solid var(--bad); }
        dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .1rem .75rem; margin: 0 0 .5rem; }
        dt { color: var(--quiet); }
        dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
        .quiet, .empty { color: var(--quiet); margin: .25rem 0; }
        .bar { margin: .25rem 0; padding: .4rem .75rem; border: 1px solid var(--line); border-radius: .5rem; }
        .bar.bad, p.bad { color: var(--bad); border-color: var(--bad); }
        .bar.good { color: var(--good); }
        .stale #entries { opacity: .6; }
        fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0 0; padding: .5rem .75rem; }
        label { display: inline-block; }
        input, select, textarea, button { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--quiet);
          border-radius: .35rem; padding: .4rem .6rem; min-height: 2.5rem; max-width: 100%; }
        textarea { width: 100%; font-family: ui-monospace, monospace; }
        input[name=time], input[name=uses] { width: 6rem; }
        input[name=reason], #token, dialog select { width: 100%; }
        button { cursor: pointer; background: var(--card); font-weight: 600; }
        button.strong, button.once, button.for, button.number, button.end { border-color: var(--strong); color: var(--strong); }
        button.strong { background: var(--strong); color: var(--on-strong); }
        button.deny, button.danger, button.revoke { border-color: var(--danger); color: var(--danger); }
        button:disabled { opacity: .5; cursor: wait; }
        .card .buttons, .buttons { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; margin: .5rem 0 0; }
        .choices { display: flex; flex-wrap: wrap; gap: 0 1.25rem; }
        fieldset > label { width: 100%; }
        .narrow { max-width: 28rem; }
        .narrow button { margin-top: .75rem; }
        dialog { background: var(--card); color: var(--text); border: 2px solid var(--danger); border-radius: .5rem;
          width: min(32rem, 92vw); }
        dialog::backdrop { background: rgb(0 0 0 / .6); }
        :focus-visible { outline: .2rem solid var(--strong); outline-offset: .15rem; }
        [hidden] { display: none !important; }

        """
}
