// Answers `import … from 'openclaw/plugin-sdk/NAME'` with what lies here, as OpenClaw does with its own.
export async function resolve(specifier, context, next) {
  const name = specifier.match(/^openclaw\/plugin-sdk\/([a-z-]+)$/)?.[1];
  if (name) return { url: new URL(`./${name}.js`, import.meta.url).href, shortCircuit: true };
  return next(specifier, context);
}
