import { describe, expect, it } from "vitest";
import { findNear, isNear, suggest } from "../../../generator/src/project/near.ts";

describe("isNear", () => {
  it("takes slips of the keyboard and nothing else", () => {
    expect(isNear("user_inf", "user_info")).toBe(true);
    expect(isNear("usre_info", "user_info")).toBe(true);
    expect(isNear("orders", "user_info")).toBe(false);
    expect(isNear("a", "b")).toBe(false);
  });
});

describe("findNear and suggest", () => {
  it("take the nearest of several, and list all where none is near", () => {
    expect(findNear("user_inf", ["user_infos", "user_info", "orders"])).toBe("user_info");
    expect(suggest("user_inf", ["user_info", "orders"])).toBe("did you mean user_info?");
    expect(suggest("x", ["user_info", "orders"])).toBe("there are orders, user_info");
    expect(suggest("x", [])).toBe("there are none");
  });
});
