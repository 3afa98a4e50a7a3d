-- SPDX-License-Identifier: MIT
-- Work for the Lua library: tables, strings, closures, coroutines, files, sorting, numbers, errors.
local function digest(text)
	local a, b = 1, 0
	for i = 1, #text do
		a = (a + text:byte(i)) % 65521
		b = (b + a) % 65521
	end
	return string.format("%04x%04x", b, a)
end

local function random(seed)
	return function(limit)
		seed = (seed * 1103515245 + 12345) % 2147483648
		return seed // 65536 % limit
	end
end

local next_number = random(42)
local numbers = {}
for i = 1, 20000 do numbers[i] = next_number(100000) end
table.sort(numbers)
print("sorted", numbers[1], numbers[10000], numbers[20000])

local words = {}
for word in ("the quick brown fox jumps over the lazy dog the end"):gmatch("%a+") do
	words[word] = (words[word] or 0) + 1
end
local names = {}
for name in pairs(words) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do io.write(name, "=", words[name], " ") end
print()

local function sieve(limit)
	local composite, count = {}, 0
	for i = 2, limit do
		if not composite[i] then
			count = count + 1
			for j = i * i, limit, i do composite[j] = true end
		end
	end
	return count
end
print("primes", sieve(50000))

local producer = coroutine.wrap(function()
	for i = 1, 1000 do coroutine.yield(i * i) end
end)
local sum = 0
for square in producer do sum = sum + square end
print("squares", sum)

local parts = {}
for i = 1, 5000 do parts[#parts + 1] = ("%d:%x;"):format(i, i * 7) end
local text = table.concat(parts)
print("text", #text, digest(text), (text:gsub("%d+:", "")):sub(1, 20))

local file = assert(io.open("lua-data", "w"))
for i = 1, 3000 do file:write(i, "\t", i % 17, "\n") end
file:close()
local lines, total = 0, 0
for line in io.lines("lua-data") do
	local _, value = line:match("(%d+)\t(%d+)")
	lines, total = lines + 1, total + tonumber(value)
end
print("file", lines, total)
file = assert(io.open("lua-data", "r+"))
file:seek("set", 10)
print("seek", file:read(5), file:seek("end"))
file:close()
print("rename", os.rename("lua-data", "lua-moved"), os.remove("lua-moved"))
print("missing", io.open("missing"))

local object = setmetatable({}, {
	__index = function(_, key) return key .. "!" end,
	__call = function(_, x) return x * 2 end,
	__gc = function() end,
})
print("meta", object.field, object(21))
print("error", pcall(error, { code = 7 }) == false, select(2, pcall(error, "plain", 0)))
print("float", 0.1 + 0.2, 1e100, 10 // 3, 10.0 / 4, 2 ^ 53, math.floor(-3.5), math.pi)
print("integer", math.maxinteger + 1 == math.mininteger, 7 // -2, 7 % -2, 1 << 62, ~5)
for round = 1, 30 do
	local garbage = {}
	for i = 1, 2000 do garbage[i] = { i, tostring(i) } end
end
collectgarbage()
print("memory", collectgarbage("count") < 20000)
local pipe = assert(io.popen("echo from a shell; exit 3"))
print("popen", pipe:read("l"), pipe:close())
print("execute", os.execute("exit 5"))
print("environment", os.getenv("HOME"), os.getenv("NOTHING"))
print("date", os.date("!%Y-%m-%d", 86400 * 365))
