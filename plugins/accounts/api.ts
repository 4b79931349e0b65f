/** The port of the accounts feature, for its jobs. */
export interface AccountFeature {
    /**
     * Does a bulk change that was asked for at that time (ms), from where it was left.
     *
     * @throws PutOff While the process stops, or the bulk change is not there yet
     */
    runBulk(bulkId: string, askedAt: number): Promise<void>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        accounts: AccountFeature;
    }
}
