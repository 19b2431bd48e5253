// A gateway that opens a session, starts a command that does not end, and waits to be killed.
import { Gateway, processesWith, start, until } from '../harness.js';

const { pluginConfig, prefix, agent, time } = JSON.parse(process.argv[2]);
const never = { after() {} }; // it does not get to tidy up
const gateway = new Gateway(never, { pluginConfig, prefix });
const handle = await gateway.open({ agentWorkspaceDir: agent });
await start(handle, `setsid sleep ${time} & exec sleep ${time}`, { env: { TOKEN: 'secret' } });
await until(() => processesWith(`sleep\0${time}`).length === 2, 'the command runs');
console.log(JSON.stringify({ runtimeId: handle.runtimeId }));
setInterval(() => {}, 1000);
