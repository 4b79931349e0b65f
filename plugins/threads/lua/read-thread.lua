-- Read a thread with the summaries of its models. Their keys are KEYS[1] with a model's id: the same slot.
-- KEYS[1] thread
-- ARGV[1] owner
-- Returns {1, {field, value, …}, {model, {field, value, …} of its summary, …}}, {0} no such thread of that owner
local owner, models = unpack(redis.call('HMGET', KEYS[1], 'userId', 'models'))
if owner ~= ARGV[1] then return { 0 } end
local summaries = {}
for model in pairs(cjson.decode(models)) do
    table.insert(summaries, model)
    table.insert(summaries, redis.call('HGETALL', KEYS[1] .. ':model:' .. model .. ':summary'))
end
return { 1, redis.call('HGETALL', KEYS[1]), summaries }
