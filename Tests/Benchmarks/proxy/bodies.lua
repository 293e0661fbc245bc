-- Each request differs from all others in its body.
local number = 0

request = function()
    number = number + 1
    return wrk.format("POST", nil, nil, "n=" .. number)
end
