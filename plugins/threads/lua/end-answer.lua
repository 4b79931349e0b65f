-- End an answer: its message goes into the thread, its last events into its log.
-- KEYS[1] thread · KEYS[2] messages (stream) · KEYS[3] the owner's threads by update · KEYS[4] events · KEYS[5] audit
-- KEYS[6] answer · KEYS[7] its events (stream) · KEYS[8] what the owner's usage counters begin with
-- KEYS[9] the thread's terms · KEYS[10] the owner's threads by term · KEYS[11] the tenant's credits
-- ARGV[1] JSON {threadId, ownerId, modelId, answerId, message: [field, value, …], last, replaces?: {messageId, entryId, keep}, events,
--               audit, counts: [field, amount, …] of its call, settlement?, titled?: {title, terms, events, audit}}; a hold
--               is settled as `settle_hold` has it; a thread without a title is titled so
-- ARGV[2] who ends it · ARGV[3] id of the entry of the last events · ARGV[4] JSON [event, …]
-- ARGV[5] milliseconds that the log is kept for those who resume · ARGV[6] channel of those who follow it
-- Returns 1 ended, now or by an earlier try whose answer was lost, 0 ended by somebody else,
--         -1 it was deleted with its thread
-- @include now
-- @include lease-time
-- @include calendar
-- @include outbox
-- @include credits
-- @include holds
-- @include show-summary
-- @include store-message
-- @include usage
-- @include terms
local change = cjson.decode(ARGV[1])
local state, ended_by = unpack(redis.call('HMGET', KEYS[6], 'state', 'endedBy'))
if not state then return -1 end
if state == 'ended' then return ended_by == ARGV[2] and 1 or 0 end
local at = now()

redis.call('HDEL', KEYS[1] .. ':running', change.answerId)
local replaced = change.replaces
if replaced then redis.call('UNLINK', KEYS[1] .. ':replaces:' .. replaced.messageId) end
if not (replaced and replaced.keep) then
    if replaced and redis.call('XDEL', KEYS[2], replaced.entryId) == 1 then
        redis.call('HINCRBY', KEYS[1], 'messageCount', -1)
        local models = cjson.decode(redis.call('HGET', KEYS[1], 'models'))
        models[change.modelId].messageCount = models[change.modelId].messageCount - 1
        redis.call('HSET', KEYS[1], 'models', cjson.encode(models))
    end
    store_message(KEYS, change, at)
    local titled = change.titled
    if titled and redis.call('HEXISTS', KEYS[1], 'title') == 0 then
        redis.call('HSET', KEYS[1], 'title', titled.title)
        change_terms(KEYS[9], KEYS[10], change.threadId, titled.terms)
        append_entries(KEYS[4], KEYS[5], titled, at)
    end
end
count_usage(KEYS[8], change.counts, at)
if change.settlement then
    settle_hold({ credits = KEYS[11], events = KEYS[4], audit = KEYS[5] }, change.settlement, at)
end
redis.call('XADD', KEYS[7], ARGV[3] .. '-0', 'e', ARGV[4])
redis.call('HSET', KEYS[6], 'state', 'ended', 'endedBy', ARGV[2])
redis.call('PEXPIRE', KEYS[6], ARGV[5])
redis.call('PEXPIRE', KEYS[7], ARGV[5])
redis.call('PUBLISH', ARGV[6], '')
return 1
