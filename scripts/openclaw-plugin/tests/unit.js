// What needs no session: node --test tests/unit.js
import './unit/registration.js';
import './unit/settings.js';
import './unit/mounts.js';
import './unit/environment.js';
import './unit/program.js';
