// All tests of the sample gateway: node --test test.js
import './tests/options.js';
import './tests/state.js';
import './tests/lock.js';
import './tests/start.js';
import './tests/lifecycle.js';
import './tests/http.js';
import './tests/websocket.js';
import './tests/tools.js';
