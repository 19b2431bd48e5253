// The plugin and real sessions: CLAWJAIL=/path/of/clawjail node --test tests/sessions.js
import './sessions/exec.js';
import './sessions/cancel.js';
import './sessions/files.js';
import './sessions/lifecycle.js';
import './sessions/terminal.js';
import './sessions/hostile.js';
import './sessions/ssh.js';
