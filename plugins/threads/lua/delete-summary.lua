-- Delete the summary of a model's context.
-- KEYS[1] thread · KEYS[2] summary · KEYS[3] events · KEYS[4] audit · KEYS[5] the thread's terms
-- KEYS[6] the owner's threads by term
-- ARGV[1] JSON {ownerId, threadId, modelId, terms, events, audit}
-- Returns 1 deleted, 0 no such thread of that owner, -1 there was none
-- @include now
-- @include outbox
-- @include show-summary
-- @include terms
local change = cjson.decode(ARGV[1])
local owner, last = unpack(redis.call('HMGET', KEYS[1], 'userId', 'lastMessage'))
if owner ~= change.ownerId then return 0 end
if redis.call('UNLINK', KEYS[2]) == 0 then return -1 end
redis.call('HINCRBY', KEYS[1], 'revision', 1)
if last and cjson.decode(last).model == change.modelId then show_summary(KEYS[1], change.modelId) end
change_terms(KEYS[5], KEYS[6], change.threadId, change.terms)
append_entries(KEYS[3], KEYS[4], change, now())
return 1
