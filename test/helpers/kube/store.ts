import type { Json } from './patch.ts';

export interface WatchEvent {
    type: 'ADDED' | 'MODIFIED' | 'DELETED';
    object: Json;
}

/** Objects by their resource and name, as an API server keeps them. */
export class ObjectStore {
    readonly #objects = new Map<string, Json>();
    readonly #listeners = new Set<(resource: string, event: WatchEvent) => void>();
    #version = 100;

    get version(): string {
        return String(this.#version);
    }

    get = (resource: string, name: string): Json | undefined => this.#objects.get(`${resource}/${name}`);

    list = (resource: string): Json[] =>
        [...this.#objects].filter(([key]) => key.startsWith(`${resource}/`)).map(([, object]) => object);

    /** A change of what is wanted, not of how it is, makes a new generation. */
    put(resource: string, object: Json): Json {
        const known = this.get(resource, object.metadata.name);
        const isWanted = JSON.stringify(known?.spec) !== JSON.stringify(object.spec);
        const { generation = 0 } = known?.metadata ?? {};
        const stored = {
            ...object,
            metadata: {
                ...object.metadata,
                resourceVersion: String(++this.#version),
                generation: generation + (isWanted ? 1 : 0),
            },
        };
        this.#objects.set(`${resource}/${object.metadata.name}`, stored);
        this.#tell(resource, { type: known ? 'MODIFIED' : 'ADDED', object: stored });
        return stored;
    }

    delete(resource: string, name: string): void {
        const object = this.get(resource, name);
        if (!object) return;
        this.#objects.delete(`${resource}/${name}`);
        this.#version++;
        this.#tell(resource, { type: 'DELETED', object });
    }

    /** @returns What ends it */
    watch(listener: (resource: string, event: WatchEvent) => void): () => void {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
    }

    #tell(resource: string, event: WatchEvent): void {
        for (const listener of this.#listeners) listener(resource, event);
    }
}
