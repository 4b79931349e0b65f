-- Create a thread: empty, or with what another one of its owner has.
-- KEYS[1] thread · KEYS[2] events · KEYS[3] audit · KEYS[4] its terms · KEYS[5] the owner's threads by term
-- KEYS[6] and KEYS[7] the orders · KEYS[8] the thread that is copied
-- ARGV[1] JSON {id, ownerId, fields: [field, value, …], terms: {title: [word, …]}, events, audit,
--               fork?: {modelId?, cut?: {modelId, entryId}}}; `modelId`: that context only, `cut`: the last entry copied
-- Returns {1, {field, value, …}} the thread, {0} no such thread of that owner to copy, {-1} no such entry
-- @include now
-- @include outbox
-- @include terms
-- @include copy-contexts
local change = cjson.decode(ARGV[1])
local fork = change.fork
local copied, count, last_message
if fork then
    local owner, models, last = unpack(redis.call('HMGET', KEYS[8], 'userId', 'models', 'lastMessage'))
    if owner ~= change.ownerId then return { 0 } end
    local cut = fork.cut
    if cut and #redis.call('XRANGE', context_key(KEYS[8], cut.modelId), cut.entryId, cut.entryId) == 0 then
        return { -1 }
    end
    local names = {}
    for name in pairs(cjson.decode(models)) do
        if not fork.modelId or fork.modelId == name then names[#names + 1] = name end
    end
    copied, count = copy_contexts(KEYS[8], KEYS[1], names, cut and cut.entryId)
    last_message = not cut and last
end

local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'id', change.id, 'revision', 1, 'createdAt', time, 'updatedAt', time, unpack(change.fields))
if fork then redis.call('HSET', KEYS[1], 'models', cjson.encode(copied), 'messageCount', count) end
if last_message then redis.call('HSET', KEYS[1], 'lastMessage', last_message) end
redis.call('ZADD', KEYS[6], time, change.id)
redis.call('ZADD', KEYS[7], time, change.id)
change_terms(KEYS[4], KEYS[5], change.id, change.terms)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
