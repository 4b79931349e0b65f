-- Delete a thread with the messages and summaries of all its models. Their keys are KEYS[1] with a model's id: the same
-- slot.
-- KEYS[1] thread · KEYS[2] events · KEYS[3] audit · KEYS[4] its terms · KEYS[5] the owner's threads by term · then the orders
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, events, audit} · ARGV[2] what the keys of answers begin with
-- Returns {1, messages deleted}, {0} not found, {-1} another revision
-- @include now
-- @include outbox
-- @include guard
-- @include terms
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

local count, models = unpack(redis.call('HMGET', KEYS[1], 'messageCount', 'models'))
for model in pairs(cjson.decode(models)) do
    local context = KEYS[1] .. ':model:' .. model
    redis.call('UNLINK', context .. ':messages', context .. ':summary')
end
local answers = KEYS[1] .. ':answers'
for _, id in ipairs(redis.call('ZRANGE', answers, 0, -1)) do
    redis.call('UNLINK', ARGV[2] .. id, ARGV[2] .. id .. ':events', KEYS[1] .. ':replaces:' .. id)
end
redis.call('UNLINK', answers, KEYS[1] .. ':running')
remove_terms(KEYS[4], KEYS[5], change.id)
for n = 6, #KEYS do redis.call('ZREM', KEYS[n], change.id) end
redis.call('UNLINK', KEYS[1])
append_entries(KEYS[2], KEYS[3], change, now())
return { 1, tonumber(count) }
