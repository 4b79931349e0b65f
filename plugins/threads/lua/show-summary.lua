-- Brings what a thread shows as its summary up to date: that of the model that was active last.
local function show_summary(thread, model)
    local shown = redis.call('HGET', thread, 'summary')
    local text = redis.call('HGET', thread .. ':model:' .. model .. ':summary', 'text')
    if text == shown then return end
    if text then
        redis.call('HSET', thread, 'summary', text)
    else
        redis.call('HDEL', thread, 'summary')
    end
end
