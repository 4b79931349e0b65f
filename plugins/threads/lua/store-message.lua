-- Appends a message to a model's context in a thread and brings the thread up to date, needs `show_summary`.
-- keys {thread, messages (stream), the owner's threads by update, events, audit}
-- change {threadId, modelId, message: [field, value, …], last: {…}, events, audit}
local function store_message(keys, change, at)
    local time = string.format('%d', at)
    redis.call('XADD', keys[2], '*', unpack(change.message))
    local models = cjson.decode(redis.call('HGET', keys[1], 'models'))
    local model = models[change.modelId] or { messageCount = 0 }
    model.messageCount, model.lastMessageAt = model.messageCount + 1, at
    models[change.modelId] = model
    local last = cjson.encode(change.last)
    redis.call('HSET', keys[1], 'models', cjson.encode(models), 'lastMessage', last, 'updatedAt', time)
    show_summary(keys[1], change.modelId)
    redis.call('HINCRBY', keys[1], 'messageCount', 1)
    redis.call('HINCRBY', keys[1], 'revision', 1)
    redis.call('ZADD', keys[3], time, change.threadId)
    append_entries(keys[4], keys[5], change, at)
end
