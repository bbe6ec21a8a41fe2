// Starts Swagger UI on the document that the page names.
const place = document.getElementById("ui");
window.ui = SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  tryItOutEnabled: false,
  validatorUrl: null,          // the validator is another host
  persistAuthorization: false, // a token does not outlive the page
});
