/** The port of the metrics feature. */
export interface MetricsFeature {
    /** From now on the other replicas know of this process. Never fails. */
    announce(): Promise<void>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        metrics: MetricsFeature;
    }
}
