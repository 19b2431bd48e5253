// What OpenClaw asks about sessions that it remembers: `openclaw sandbox list`, `recreate`, and its pruning.
import { checkRuntimeId } from './runtime-id.js';
import { CONFIGURATION_LABEL, Session } from './session.js';

export function createManager({ config, program }) {
  const sessionOf = (entry) => new Session(program, checkRuntimeId(entry.containerName));
  return {
    async describeRuntime({ entry }) {
      const found = await sessionOf(entry).inspect();
      const actual = found?.labels?.[CONFIGURATION_LABEL] ?? entry.image;
      return {
        running: found?.running === true,
        actualConfigLabel: actual,
        // Made from what OpenClaw remembers, and with the profile that is configured now.
        configLabelMatch: actual === entry.image && actual.startsWith(`${config.profile ?? 'gateway'}@`),
      };
    },
    async removeRuntime({ entry }) {
      await sessionOf(entry).remove();
    },
  };
}
