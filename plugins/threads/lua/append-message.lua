-- Append a message to a model's context in a thread, and bring the thread up to date.
-- KEYS[1] thread · KEYS[2] messages (stream) · KEYS[3] the owner's threads by update · KEYS[4] events · KEYS[5] audit
-- KEYS[6] the owner's API keys, where one is about to be used
-- ARGV[1] JSON {threadId, ownerId, modelId, messageId, isRepeated, message: [field, value, …], last: {…}, ownKey?, events,
--               audit}
-- Returns 1 appended, now or by an earlier try whose answer was lost, 0 no such thread of that owner
-- @include now
-- @include outbox
-- The use of a key is noted once a minute.
local NOTE_USE_EVERY = 60000

local change = cjson.decode(ARGV[1])
local owner, models = unpack(redis.call('HMGET', KEYS[1], 'userId', 'models'))
if owner ~= change.ownerId then return 0 end

-- How far back an earlier try is looked for: what others can have stored since.
local LOOK_BACK = 100
if change.isRepeated then
    for _, entry in ipairs(redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', LOOK_BACK)) do
        for n = 1, #entry[2], 2 do
            if entry[2][n] == 'id' and entry[2][n + 1] == change.messageId then return 1 end
        end
    end
end

local at = now()
local time = string.format('%d', at)
redis.call('XADD', KEYS[2], '*', unpack(change.message))

models = cjson.decode(models)
local model = models[change.modelId] or { messageCount = 0 }
model.messageCount, model.lastMessageAt = model.messageCount + 1, at
models[change.modelId] = model
redis.call('HSET', KEYS[1], 'models', cjson.encode(models), 'lastMessage', cjson.encode(change.last), 'updatedAt', time)
redis.call('HINCRBY', KEYS[1], 'messageCount', 1)
redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('ZADD', KEYS[3], time, change.threadId)
if change.ownKey then
    local used_field = change.ownKey .. ':used'
    local sealed, used = unpack(redis.call('HMGET', KEYS[6], change.ownKey, used_field))
    if sealed and at - tonumber(used or 0) >= NOTE_USE_EVERY then redis.call('HSET', KEYS[6], used_field, time) end
end
append_entries(KEYS[4], KEYS[5], change, at)
return 1
