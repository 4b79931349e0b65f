import type { Todo } from './delivery-store.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';

export const DELIVER_WEBHOOK = 'deliver-webhook';

/** Where deliveries wait for a worker. */
export class DeliveryQueue {
    readonly #jobs: Jobs;

    constructor(jobs: Jobs) {
        this.#jobs = jobs;
    }

    /** What waits there already is not added again. @throws When Redis is away */
    async add(tenantId: string, todo: Todo[]): Promise<void> {
        await Promise.all(todo.map((one) => this.#add(tenantId, one)));
    }

    async #add(tenantId: string, todo: Todo): Promise<void> {
        const { deliveryId, round } = todo;
        await this.#jobs.add(
            DELIVER_WEBHOOK,
            { tenantId, ...todo },
            { id: `${deliveryId}.${round}`, queue: 'deliveries' },
        );
    }
}
