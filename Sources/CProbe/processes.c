#include "call.h"
#include "CProbe.h"

#include <linux/keyctl.h>
#include <signal.h>
#include <stdlib.h>

/* Signal 0 goes nowhere: the kernel only says whether it might. */
long probe_signal_others(const char *unused) { return outcome(kill(-1, 0)); }
long probe_signal(const char *pid) { return outcome(kill((pid_t)atoi(pid), 0)); }

/* Whether a key of this description is found from the session keyring. */
long probe_has_session_key(const char *description) {
    return CALL(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", description, 0);
}
