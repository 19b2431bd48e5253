internal import JailApprovals

/// The pages, as they are sent. What jails have said is in none of them: the script puts it in, as text.
enum PageFiles {
    /// - Parameter message: why there is no session; nil: there was none before.
    static func login(_ message: String? = nil) -> String {
        let told = message.map { "<p class=\"bad\" role=\"alert\">\(escaped($0))</p>" } ?? ""
        return frame(
            "Log in", body: "<body>",
            """
            <header><h1>clawjail</h1></header>
            <main class="narrow">
            \(told)
            <form method="post" action="/login">
            <label for="token">Token</label>
            <input id="token" name="token" type="password" required autofocus autocomplete="off" spellcheck="false">
            <button class="strong">Log in</button>
            </form>
            <p class="quiet">'clawjail token create NAME --role approver' makes one, and prints it once.</p>
            </main>
            """)
    }

    static func front(_ session: PageSessions.Session) -> String {
        let role = session.role.rawValue
        let attributes =
            "data-proof=\"\(session.proof)\" data-decides=\"\(session.role.may(.decide))\" "
            + "data-handles=\"\(session.role.may(.handle))\""
        return frame(
            "Jails", body: "<body \(attributes)>", script: true,
            """
            <header>
            <h1>clawjail</h1>
            <p>\(escaped(session.name)), \(role)</p>
            <form method="post" action="/logout">
            <input type="hidden" name="proof" value="\(session.proof)"><button>Log out</button>
            </form>
            </header>
            <p id="connection" class="bar" role="status">connecting …</p>
            <p id="result" class="bar" role="alert" hidden></p>
            <noscript><p class="bar bad">This page needs its script; 'clawjail approvals' does the same in a terminal.</p></noscript>
            <main>
            <section aria-labelledby="waiting">
            <h2 id="waiting" tabindex="-1">Waiting for a decision <span id="count"></span></h2>
            <p class="quiet">What nobody answers is denied. A closed page decides nothing.</p>
            <p id="no-entries" class="empty">Nothing waits.</p>
            <ul id="entries" aria-live="polite" aria-relevant="additions"></ul>
            </section>
            <section aria-labelledby="granted">
            <h2 id="granted">Granted</h2>
            <p id="no-grants" class="empty">Nothing is granted.</p>
            <ul id="grants"></ul>
            </section>
            <section aria-labelledby="running">
            <h2 id="running">Running jails</h2>
            <p id="no-jails" class="empty">None is running.</p>
            <ul id="jails"></ul>
            </section>
            <section aria-labelledby="alerted">
            <h2 id="alerted">Alerts</h2>
            <p id="no-alerts" class="empty">There are none.</p>
            <ul id="alerts"></ul>
            </section>
            <section aria-labelledby="denied">
            <h2 id="denied">Denied lately</h2>
            <p id="no-denials" class="empty">Nothing was denied.</p>
            <ul id="denials"></ul>
            </section>
            \(session.role.may(.handle) ? lockdown : "")
            </main>
            """)
    }

    private static let lockdown = """
        <section aria-labelledby="emergency">
        <h2 id="emergency">Emergency</h2>
        <button id="lockdown" class="danger" type="button">Lock down …</button>
        <dialog id="sure" aria-labelledby="sure-title">
        <form id="lockdown-form" method="dialog">
        <h2 id="sure-title">Lock down</h2>
        <p>Every process stands still, the network is cut, and it does not start again until 'clawjail unlock'.</p>
        <label for="lockdown-jail">Which</label>
        <select id="lockdown-jail" name="jail" required><option value="">choose</option></select>
        <label for="lockdown-reason">Why (it is written down)</label>
        <input id="lockdown-reason" name="reason" required maxlength="200" autocomplete="off">
        <p class="buttons"><button id="lockdown-yes" class="danger" type="submit">Lock down now</button>
        <button id="lockdown-no" type="button">Do nothing</button></p>
        </form>
        </dialog>
        </section>
        """

    private static func frame(_ title: String, body: String, script: Bool = false, _ content: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(title) – clawjail</title>
        <link rel="stylesheet" href="/page.css">
        \(script ? "<script src=\"/page.js\" defer></script>" : "")
        </head>
        \(body)
        \(content)
        </body>
        </html>

        """
    }

    /// As it may stand between tags, and in an attribute with quotation marks.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static let script = Array(scriptText.utf8)
    static let style = Array(styleText.utf8)
}
