-- Replace the summary of a model's context by one that covers more. Of several that were made of the same one the first
-- is kept, and none is made of one that was deleted meanwhile.
-- KEYS[1] thread · KEYS[2] messages (stream) · KEYS[3] events · KEYS[4] audit · KEYS[5] summary
-- KEYS[6] the owner's API keys · KEYS[7] the thread's terms · KEYS[8] the owner's threads by term
-- ARGV[1] JSON {ownerId, threadId, modelId, base: `upTo` of the one it was made of, or '', upTo: entry of the last message covered,
--               ownKeys: [name], terms, events, audit}
-- ARGV[2] text · ARGV[3] tokens · ARGV[4] model used
-- Returns {1, {field, value, …}} replaced, {-1, {field, value, …}} the one that is there instead, if any,
--         {0} no such thread of that owner
-- @include now
-- @include outbox
-- @include note-key-use
-- @include show-summary
-- @include terms
local change = cjson.decode(ARGV[1])
local owner, last = unpack(redis.call('HMGET', KEYS[1], 'userId', 'lastMessage'))
if owner ~= change.ownerId then return { 0 } end
local at = now()
note_key_use(KEYS[6], change.ownKeys, at)
if (redis.call('HGET', KEYS[5], 'upTo') or '') ~= change.base then
    return { -1, redis.call('HGETALL', KEYS[5]) }
end
-- Counted anew: answers that were given anew have gone from among those that were covered.
local count = redis.call('XLEN', KEYS[2]) - #redis.call('XRANGE', KEYS[2], '(' .. change.upTo, '+')
local summary = {
    'text', ARGV[2], 'tokens', ARGV[3], 'modelUsed', ARGV[4], 'generatedAt', string.format('%d', at),
    'upTo', change.upTo, 'count', tostring(count),
}
redis.call('HSET', KEYS[5], unpack(summary))
redis.call('HINCRBY', KEYS[1], 'revision', 1)
if last and cjson.decode(last).model == change.modelId then show_summary(KEYS[1], change.modelId) end
change_terms(KEYS[7], KEYS[8], change.threadId, change.terms)
append_entries(KEYS[3], KEYS[4], change, at)
return { 1, summary }
