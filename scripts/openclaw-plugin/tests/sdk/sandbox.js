// OpenClaw's side: the registry of sandbox backends. Registering again covers the earlier one until it is taken back.
const generations = new Map();

export function registerSandboxBackend(name, registration) {
  const id = name.trim().toLowerCase();
  const generation = { registration };
  generations.set(id, [...(generations.get(id) ?? []), generation]);
  return () => generations.set(id, generations.get(id).filter((one) => one !== generation));
}

export function sandboxBackend(name) {
  const registration = generations.get(name.toLowerCase())?.at(-1)?.registration;
  if (!registration) throw new Error(`Sandbox backend "${name}" is not registered.`);
  return registration;
}
