import type { ModelService } from '../../plugins/models/api.ts';

/** Forgets what failed before, so that a test has its providers to itself. */
export async function closeCircuits(models: ModelService): Promise<void> {
    const circuits = Object.entries(await models.circuits());
    for (const [name, { failures }] of circuits) if (failures > 0) await models.resetCircuit(name);
}
