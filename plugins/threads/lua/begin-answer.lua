-- Store a user's message and begin the answer to it.
-- KEYS[1] thread · KEYS[2] messages (stream) · KEYS[3] the owner's threads by update · KEYS[4] events · KEYS[5] audit
-- KEYS[6] answer · KEYS[7] the owner's API keys · KEYS[8] the tenant's credits
-- ARGV[1] JSON {threadId, ownerId, modelId, message?: [field, value, …], last?, answerId, answer: [field, value, …],
--               ownKeys: [name], hold?, replaces?, replacesEntry?, events, audit}; without a message the answer is to one
--               that is stored already; a hold is taken as `take_hold` has it
-- ARGV[2] milliseconds that an answer is kept whose process died and that nobody closed
-- Returns {1 begun, what `take_hold` returns …}, {0} no such thread of that owner,
--         {-1} the answer that it replaces is being replaced already, {-2} that is not the last one any more,
--         {-3, what `take_hold` returns …} it cannot be paid
-- @include now
-- @include lease-time
-- @include calendar
-- @include outbox
-- @include credits
-- @include holds
-- @include note-key-use
-- @include show-summary
-- @include store-message
-- How long the thread remembers an answer, to be deleted with it: longer than an answer takes and is kept.
local REMEMBERED = 3600000

local change = cjson.decode(ARGV[1])
if redis.call('HGET', KEYS[1], 'userId') ~= change.ownerId then return { 0 } end
local at = now()

local lock = change.replaces and KEYS[1] .. ':replaces:' .. change.replaces
if lock then
    local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
    if not last or last[1] ~= change.replacesEntry then return { -2 } end
    if redis.call('EXISTS', lock) == 1 then return { -1 } end
end
-- Before anything is written: what cannot be paid leaves nothing behind.
local code, detail, rest
if change.hold then
    code, detail, rest = take_hold({ credits = KEYS[8], events = KEYS[4], audit = KEYS[5] }, change.hold, at)
    if code < 0 then return { -3, code, detail } end
end
-- It ends with the answer, or some time after a process that died.
if lock then redis.call('SET', lock, '1', 'PX', ARGV[2]) end
if change.message then
    store_message(KEYS, change, at)
else
    append_entries(KEYS[4], KEYS[5], change, at)
end
redis.call('HSET', KEYS[6], unpack(change.answer))
redis.call('PEXPIRE', KEYS[6], ARGV[2])
local answers = KEYS[1] .. ':answers'
redis.call('ZREMRANGEBYSCORE', answers, '-inf', string.format('%d', at - REMEMBERED))
redis.call('ZADD', answers, string.format('%d', at), change.answerId)
redis.call('PEXPIRE', answers, REMEMBERED)
redis.call('HSET', KEYS[1] .. ':running', change.answerId, change.modelId)
redis.call('PEXPIRE', KEYS[1] .. ':running', ARGV[2])
note_key_use(KEYS[7], change.ownKeys, at)
return { 1, code, detail, rest }
