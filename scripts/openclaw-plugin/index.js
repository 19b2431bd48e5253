// The plugin's entry: registers the sandbox backend "clawjail" for as long as the plugin is enabled.
import { definePluginEntry } from 'openclaw/plugin-sdk/plugin-entry';
import { registerSandboxBackend } from 'openclaw/plugin-sdk/sandbox';
import { createBackend } from './lib/backend.js';
import { configSchema, resolveConfig } from './lib/config.js';
import { EnvironmentFiles } from './lib/environment.js';
import { createManager } from './lib/manager.js';
import { WORKSPACE } from './lib/paths.js';
import { Program } from './lib/program.js';
import { runtimeIdOf } from './lib/runtime-id.js';

const ID = 'clawjail';

export default definePluginEntry({
  id: ID,
  name: 'clawjail',
  description: 'Runs the commands of sandboxed chats in clawjail sessions: no Docker, no daemon, no root.',
  configSchema,
  register(api) {
    // Other modes only ask what the plugin is.
    if (api.registrationMode !== 'full') return;
    const config = resolveConfig(api.pluginConfig);
    const program = new Program(config.command);
    const environmentFiles = new EnvironmentFiles();
    environmentFiles.removeLeftovers();
    const unregister = registerSandboxBackend(ID, {
      factory: (params) => createBackend(params, { id: ID, config, program, environmentFiles }),
      manager: createManager({ config, program }),
      resolveWorkdir: () => WORKSPACE,
      reserveRuntimeId: runtimeIdOf,
      capabilities: { readOnlyResourceMounts: true },
    });
    api.lifecycle.registerRuntimeLifecycle({
      id: 'clawjail-sandbox-backend',
      cleanup({ reason, sessionKey, runId }) {
        // A chat or a run that ends is not the plugin's end. Sessions stay: they are OpenClaw's to prune.
        if (sessionKey !== undefined || runId !== undefined) return;
        if (reason !== 'disable' && reason !== 'restart') return;
        unregister();
        environmentFiles.removeAll();
      },
    });
  },
});
