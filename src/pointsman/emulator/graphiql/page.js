// GraphiQL over ./helium. What is typed into the header stays in this tab.
"use strict";

const field = (name) => document.getElementById(name);
const EXAMPLES = [
  `# Record progress for whoever is logged in above.
mutation {
  UpdateTopicAndCourseProgress(topicId: "topic_demo_1", progress: 62)
}`,
  `query {
  UserCourseProgress(id: "course_demo") { totalViews percentComplete }
  PagesCompletedByCourse(courseId: "course_demo") { __typename ... on PageEntity { id title } }
}`,
  `query {
  LearningPathBySlug(slug: "data-science-professional-certificate") {
    name
    status
    currentUserStartActionDate
    milestones { id name requirement completionCriteriaDescription }
  }
}`,
];

field("key").value = sessionStorage.getItem("key") || "";
field("key").addEventListener("input", () => sessionStorage.setItem("key", field("key").value));
showToken();

async function ask(params, headers) {
  const answer = await fetch("helium?" + new URLSearchParams({ apiKey: field("key").value }), {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(params),
  });
  return answer.json();
}

function showToken(words) {
  const email = sessionStorage.getItem("email");
  field("who").textContent = words || (email ? `authToken of ${email}` : "no authToken");
}

field("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const variables = { email: field("email").value, password: field("password").value };
  const query =
    "mutation Login($email: String!, $password: String!) { Login(email: $email, password: $password) }";
  const { data, errors } = await ask({ query, variables }, {});
  if (data && data.Login) {
    sessionStorage.setItem("token", data.Login);
    sessionStorage.setItem("email", variables.email);
    showToken();
  } else {
    showToken(errors ? errors[0].message : "no answer");
  }
});

function fetcher(params, options) {
  const token = sessionStorage.getItem("token");
  return ask(params, { ...(token ? { authToken: token } : {}), ...((options || {}).headers || {}) });
}

ReactDOM.createRoot(field("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultEditorToolsVisibility: true,
    defaultTabs: EXAMPLES.map((query) => ({ query })),
    shouldPersistHeaders: false,
  }),
);
